import { realNumber } from "@ckptkit/core";
import { readLength, readLongBytes, readUnicode } from "./arguments.js";
import { addItems, append, build, pushCall, setItems } from "./build.js";
import type { Machine } from "./machine.js";
import { runRare } from "./run-rare.js";
import { readGlobal, stackGlobal } from "./text-opcodes.js";
import type { PickleValue } from "./values.js";

/**
 * Runs a stream to its STOP and gives the value on top. The opcodes that make up nearly all of a checkpoint's pickle are here, in one
 * switch; the rest are in run-rare.ts. Codes are written out: a switch over literals becomes a jump table.
 */
export function run(machine: Machine): PickleValue {
  const { bytes, view, end, marks, memo, counts } = machine;
  const maxOpcodes = machine.limits.pickleOpcodes;
  let opcodes = 0;
  for (;;) {
    const at = machine.pos;
    machine.at = at;
    if (at >= machine.frameEnd) leaveFrame(machine);
    if (at >= end) throw machine.endOfBytes("an opcode");
    if (++opcodes > maxOpcodes) throw machine.overLimit("pickleOpcodes", opcodes);
    const code = bytes[at] ?? 0;
    counts[code] = (counts[code] ?? 0) + 1;
    machine.pos = at + 1;
    switch (code) {
      case 0x71: // BINPUT
        machine.need(1);
        machine.pos = at + 2;
        machine.store(bytes[at + 1] ?? 0);
        break;
      case 0x72: // LONG_BINPUT
        machine.need(4);
        machine.pos = at + 5;
        machine.store(view.getUint32(at + 1, true));
        break;
      case 0x94: // MEMOIZE
        machine.store(memo.size);
        break;
      case 0x68: // BINGET
        machine.need(1);
        machine.pos = at + 2;
        machine.recall(bytes[at + 1] ?? 0);
        break;
      case 0x6a: // LONG_BINGET
        machine.need(4);
        machine.pos = at + 5;
        machine.recall(view.getUint32(at + 1, true));
        break;
      case 0x28: // MARK
        marks.push(machine.depth);
        machine.fence = machine.depth;
        break;
      case 0x58: // BINUNICODE
        machine.push(readUnicode(machine, readLength(machine, 4)));
        break;
      case 0x8c: // SHORT_BINUNICODE
        machine.push(readUnicode(machine, readLength(machine, 1)));
        break;
      case 0x4b: // BININT1
        machine.need(1);
        machine.pos = at + 2;
        machine.push(bytes[at + 1] ?? 0);
        break;
      case 0x4d: // BININT2
        machine.need(2);
        machine.pos = at + 3;
        machine.push(view.getUint16(at + 1, true));
        break;
      case 0x4a: // BININT
        machine.need(4);
        machine.pos = at + 5;
        machine.push(view.getInt32(at + 1, true));
        break;
      case 0x47: // BINFLOAT
        machine.need(8);
        machine.pos = at + 9;
        machine.push(realNumber(view.getFloat64(at + 1, false)));
        break;
      case 0x4e: // NONE
        machine.push(null);
        break;
      case 0x88: // NEWTRUE
        machine.push(true);
        break;
      case 0x89: // NEWFALSE
        machine.push(false);
        break;
      case 0x8a: // LONG1
        machine.push(readLongBytes(machine, readLength(machine, 1)));
        break;
      case 0x7d: // EMPTY_DICT
        machine.built();
        machine.push({ kind: "dict", keysAndValues: [] });
        break;
      case 0x5d: // EMPTY_LIST
        machine.built();
        machine.push({ kind: "list", items: [] });
        break;
      case 0x29: // EMPTY_TUPLE
        machine.built();
        machine.push({ kind: "tuple", items: [] });
        break;
      case 0x85: // TUPLE1
        tuple(machine, 1);
        break;
      case 0x86: // TUPLE2
        tuple(machine, 2);
        break;
      case 0x87: // TUPLE3
        tuple(machine, 3);
        break;
      case 0x74: // TUPLE
        machine.built();
        machine.push({ kind: "tuple", items: machine.popToMark() });
        break;
      case 0x73: // SETITEM
        if (machine.depth - 2 < machine.fence) throw machine.underflow();
        setItems(machine, machine.depth - 2);
        break;
      case 0x75: // SETITEMS
        setItems(machine, machine.popMark());
        break;
      case 0x61: // APPEND
        machine.top();
        append(machine, machine.depth - 1);
        break;
      case 0x65: // APPENDS
        append(machine, machine.popMark());
        break;
      case 0x90: // ADDITEMS
        addItems(machine);
        break;
      case 0x51: // BINPERSID
        machine.refer(machine.pop());
        break;
      case 0x63: // GLOBAL
        machine.push(readGlobal(machine, "GLOBAL"));
        break;
      case 0x93: // STACK_GLOBAL
        machine.push(stackGlobal(machine));
        break;
      case 0x52: {
        // REDUCE
        const args = machine.pop();
        pushCall(machine, machine.pop(), args, "REDUCE");
        break;
      }
      case 0x81: {
        // NEWOBJ
        const args = machine.pop();
        pushCall(machine, machine.pop(), args, "NEWOBJ");
        break;
      }
      case 0x62: // BUILD
        build(machine);
        break;
      case 0x2e: // STOP
        return machine.pop();
      default:
        runRare(machine, code);
    }
  }
}

function tuple(machine: Machine, length: number): void {
  machine.built();
  const { stack } = machine;
  const from = machine.depth - length;
  if (from < machine.fence) throw machine.underflow();
  stack[from] = { kind: "tuple", items: stack.slice(from, machine.depth) };
  machine.depth = from + 1;
}

function leaveFrame(machine: Machine): void {
  if (machine.pos > machine.frameEnd) {
    machine.note("pickle-frame", "error", `A frame ends at byte ${machine.frameEnd}, in the middle of an opcode.`);
  }
  machine.frameEnd = Number.MAX_SAFE_INTEGER;
}
