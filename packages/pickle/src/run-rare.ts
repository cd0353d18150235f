import { readBytes, readLength, readLongBytes, readPython2Str, readUint64, readUnicode } from "./arguments.js";
import { pushCall, pushPlainCall } from "./build.js";
import { addEntries, addToSet } from "./entries.js";
import { kindOf, type Machine } from "./machine.js";
import { HIGHEST_PROTOCOL } from "./opcodes.js";
import * as text from "./text-opcodes.js";
import { isPickleNode, type PickleDict, type PickleSet } from "./values.js";

/** Runs one of the opcodes that are rare in checkpoints. `machine.pos` is after the opcode's byte. */
export function runRare(machine: Machine, code: number): void {
  switch (code) {
    case 0x80: // PROTO
      proto(machine);
      break;
    case 0x95: // FRAME
      frame(machine);
      break;
    case 0x30: // POP
      // On top of a MARK it takes the MARK, as CPython does.
      if (machine.marks.length > 0 && machine.depth === machine.fence) machine.popMark();
      else machine.pop();
      break;
    case 0x31: // POP_MARK
      machine.popToMark();
      break;
    case 0x32: // DUP
      machine.push(machine.top());
      break;
    case 0x49: // INT
      machine.push(text.readInt(machine));
      break;
    case 0x4c: // LONG
      machine.push(text.readLong(machine));
      break;
    case 0x46: // FLOAT
      machine.push(text.readFloat(machine));
      break;
    case 0x53: // STRING
      machine.push(text.readString(machine));
      break;
    case 0x56: // UNICODE
      machine.push(text.readUnicode(machine));
      break;
    case 0x50: // PERSID
      machine.refer(text.readPersistentId(machine));
      break;
    case 0x67: // GET
      machine.recall(text.readSlot(machine));
      break;
    case 0x70: // PUT
      machine.store(text.readSlot(machine));
      break;
    case 0x8b: // LONG4
      machine.push(long4(machine));
      break;
    case 0x54: // BINSTRING
      machine.push(readPython2Str(machine, readLength(machine, 4)));
      break;
    case 0x55: // SHORT_BINSTRING
      machine.push(readPython2Str(machine, readLength(machine, 1)));
      break;
    case 0x8d: // BINUNICODE8
      machine.push(readUnicode(machine, readLength(machine, 8)));
      break;
    case 0x42: // BINBYTES
      machine.push(readBytes(machine, readLength(machine, 4)));
      break;
    case 0x43: // SHORT_BINBYTES
      machine.push(readBytes(machine, readLength(machine, 1)));
      break;
    case 0x8e: // BINBYTES8
      machine.push(readBytes(machine, readLength(machine, 8)));
      break;
    case 0x96: // BYTEARRAY8
      machine.push({ kind: "bytearray", bytes: readBytes(machine, readLength(machine, 8)) });
      break;
    case 0x6c: // LIST
      machine.built();
      machine.push({ kind: "list", items: machine.popToMark() });
      break;
    case 0x64: // DICT
      dict(machine);
      break;
    case 0x8f: // EMPTY_SET
      machine.built();
      machine.push({ kind: "set", items: [] });
      break;
    case 0x91: // FROZENSET
      frozenset(machine);
      break;
    case 0x92: // NEWOBJ_EX
      newobjEx(machine);
      break;
    case 0x69: {
      // INST: the name first, then the arguments down to the MARK
      const callable = text.readGlobal(machine, "INST");
      pushPlainCall(machine, callable, machine.popToMark(), "INST");
      break;
    }
    case 0x6f: {
      // OBJ: the class is the first value above the MARK
      const [callable, ...args] = machine.popToMark();
      if (callable === undefined) throw machine.corrupt("a class above the MARK", "nothing");
      pushPlainCall(machine, callable, args, "OBJ");
      break;
    }
    case 0x97: // NEXT_BUFFER
      machine.built();
      machine.note("pickle-buffer", "warning", "A buffer lies outside of the pickle and cannot be shown.");
      machine.push({ kind: "buffer", index: machine.buffers++, readonly: false });
      break;
    case 0x98: // READONLY_BUFFER
      readonlyBuffer(machine);
      break;
    case 0x82: // EXT1
    case 0x83: // EXT2
    case 0x84: // EXT4
      throw machine.unsupported("only the program that registered an extension code knows it");
    default:
      throw machine.corrupt("an opcode of protocols 0 to 5", `byte 0x${code.toString(16).padStart(2, "0")}`);
  }
}

function proto(machine: Machine): void {
  machine.need(1);
  const protocol = machine.bytes[machine.pos] ?? 0;
  if (protocol > HIGHEST_PROTOCOL) {
    throw machine.unsupported(`protocol ${protocol} is above ${HIGHEST_PROTOCOL}`);
  }
  machine.pos++;
  if (machine.at !== machine.start) {
    const what = machine.protocol < 0 ? "is not at the start" : "stands here again";
    machine.note("pickle-protocol", "warning", `PROTO ${what}: no pickler writes that.`);
  }
  machine.protocol = protocol;
}

/** The length of a frame is a hint for buffering. One that lies is reported, and reading goes on: loaders differ here. */
function frame(machine: Machine): void {
  machine.need(8);
  const length = readUint64(machine, machine.pos);
  machine.pos += 8;
  const left = machine.bytes.length - machine.pos;
  if (machine.frameEnd !== Number.MAX_SAFE_INTEGER) {
    machine.note("pickle-frame", "error", `A frame begins before the last one ends, at byte ${machine.frameEnd}.`);
  }
  if (length > left) machine.note("pickle-frame", "error", `A frame claims ${length} bytes, but ${left} are left.`);
  machine.frameEnd = length > left ? Number.MAX_SAFE_INTEGER : machine.pos + length;
}

function long4(machine: Machine): number | bigint {
  machine.need(4);
  // The one length that is signed.
  const length = machine.view.getInt32(machine.pos, true);
  if (length < 0) throw machine.corrupt("a length", String(length));
  return readLongBytes(machine, readLength(machine, 4));
}

function dict(machine: Machine): void {
  const to = machine.depth;
  const mark = machine.popMark();
  if ((to - mark) % 2 !== 0) throw machine.corrupt("keys and values in pairs", `${to - mark} values`);
  machine.built();
  const node: PickleDict = { kind: "dict", keysAndValues: [] };
  node.keysAndValues = addEntries(machine, node, node.keysAndValues, mark, to);
  machine.depth = mark;
  machine.push(node);
}

function frozenset(machine: Machine): void {
  machine.built();
  const set: PickleSet = { kind: "frozenset", items: [] };
  addToSet(machine, set, set.items, machine.popToMark());
  machine.push(set);
}

function newobjEx(machine: Machine): void {
  const kwargs = machine.pop();
  const args = machine.pop();
  pushCall(machine, machine.pop(), args, "NEWOBJ_EX", kwargs);
}

function readonlyBuffer(machine: Machine): void {
  const target = machine.top();
  if (target instanceof Uint8Array) return;
  if (!isPickleNode(target)) throw machine.corrupt("a buffer on the stack", kindOf(target));
  if (target.kind === "buffer") target.readonly = true;
  else if (target.kind !== "bytearray" && target.kind !== "call" && target.kind !== "persistent") {
    throw machine.corrupt("a buffer on the stack", kindOf(target));
  }
}
