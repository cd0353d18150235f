import { CheckpointConfigError, type RealNode } from "@ckptkit/core";
import { ByteWriter } from "./byte-writer.js";
import { encodeLong } from "./numbers.js";
import { OPCODES, type Opcode } from "./opcodes.js";
import { protocol2Global } from "./python2-names.js";
import { encodeUtf8 } from "./strings.js";
import { isPickleNode, type PickleGlobal, type PickleValue } from "./values.js";

/** A value that is written at once: it has no members that could lead back to it. */
export type Atom = null | boolean | number | bigint | string | Uint8Array | RealNode | PickleGlobal;

/** Whether a value is an {@link Atom}. */
export function isAtom(value: PickleValue): value is Atom {
  return !isPickleNode(value) || value.kind === "real" || value.kind === "global";
}

/** Writes the values of protocol 2 that have no members, and keeps the memo. */
export class PickleOutput {
  readonly #out = new ByteWriter();
  /** Memo slots of strings. */
  readonly #strings = new Map<string, number>();
  /** Memo slots of nodes and bytes. For nodes that are in work and have none yet: -1 - the number of slots when they were begun. */
  readonly #slots = new Map<object, number>();
  /** Memo slots of globals, by `module\nname`. */
  readonly #globals = new Map<string, number>();
  #slot = 0;

  constructor() {
    this.op(OPCODES.PROTO);
    this.#out.u8(2);
  }

  /** Number of memo slots in use. */
  get slots(): number {
    return this.#slot;
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.op(OPCODES.STOP);
    return this.#out.finish();
  }

  op(opcode: Opcode): void {
    this.#out.u8(opcode[0]);
  }

  atom(value: Atom): void {
    if (value === null) this.op(OPCODES.NONE);
    else if (typeof value === "boolean") this.op(value ? OPCODES.NEWTRUE : OPCODES.NEWFALSE);
    else if (typeof value === "string") this.#string(value);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "bigint") this.#integer(value);
    else if (value instanceof Uint8Array) this.#bytes(value);
    else if (value.kind === "real") this.#float(value.value);
    else this.#global(value);
  }

  #number(value: number): void {
    if (!Number.isInteger(value)) this.#float(value);
    else if (Number.isSafeInteger(value)) this.#integer(value);
    else throw invalid(`The number ${value} is no exact integer. Give integers as bigint, and reals as { kind: "real", value }.`);
  }

  #integer(value: number | bigint): void {
    if (value >= 0 && value <= 0xff) {
      this.op(OPCODES.BININT1);
      this.#out.u8(Number(value));
    } else if (value >= 0 && value <= 0xffff) {
      this.op(OPCODES.BININT2);
      this.#out.u16(Number(value));
    } else if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.op(OPCODES.BININT);
      this.#out.i32(Number(value));
    } else {
      const bytes = encodeLong(BigInt(value));
      if (bytes.length <= 0xff) {
        this.op(OPCODES.LONG1);
        this.#out.u8(bytes.length);
      } else {
        this.op(OPCODES.LONG4);
        this.#out.i32(bytes.length);
      }
      this.#out.bytes(bytes);
    }
  }

  #float(value: number): void {
    this.op(OPCODES.BINFLOAT);
    this.#out.f64(value);
  }

  #string(text: string): void {
    const slot = this.#strings.get(text);
    if (slot !== undefined) {
      this.#get(slot);
      return;
    }
    this.op(OPCODES.BINUNICODE);
    this.#out.text(text);
    this.#strings.set(text, this.put());
  }

  /** Protocol 2 has no bytes: CPython writes `_codecs.encode(text, "latin1")`, which Python 2 understands too. Empty ones are no exception
   * here: the `bytes()` that CPython writes for them is refused by torch's restricted loader. */
  #bytes(bytes: Uint8Array): void {
    if (this.known(bytes)) return;
    this.#global({ kind: "global", module: "_codecs", name: "encode" });
    const utf8 = new Uint8Array(bytes.length + bytes.reduce((count, byte) => count + (byte >> 7), 0));
    let length = 0;
    for (const byte of bytes) {
      if (byte >= 0x80) utf8[length++] = 0xc0 | (byte >> 6);
      utf8[length++] = byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte;
    }
    this.op(OPCODES.BINUNICODE);
    this.#out.u32(utf8.length);
    this.#out.bytes(utf8);
    this.put();
    this.#string("latin1");
    this.op(OPCODES.TUPLE2);
    this.put();
    this.op(OPCODES.REDUCE);
    this.remember(bytes);
  }

  #global(node: PickleGlobal): void {
    if (this.known(node)) return;
    if (node.states || node.items || node.keysAndValues || node.setItems) {
      throw invalid(`The global ${node.module}.${node.name} is changed: that is never written.`);
    }
    const { module, name } = protocol2Global(node.module, node.name);
    if (`${module}${name}`.includes("\n")) throw invalid("The name of a global has a line feed.");
    const key = `${module}\n${name}`;
    const slot = this.#globals.get(key);
    if (slot === undefined) {
      this.op(OPCODES.GLOBAL);
      this.#out.bytes(encodeUtf8(`${key}\n`));
    } else this.#get(slot);
    const own = slot ?? this.put();
    this.#globals.set(key, own);
    this.#slots.set(node, own);
  }

  /** Whether a value has a memo slot. */
  has(value: object): boolean {
    return (this.#slots.get(value) ?? -1) >= 0;
  }

  /** Takes back that a node was begun. */
  forget(value: object): void {
    this.#slots.delete(value);
  }

  /** Fetches a value that was written before. */
  known(value: object): boolean {
    const slot = this.#slots.get(value);
    if (slot === undefined || slot < 0) return false;
    this.#get(slot);
    return true;
  }

  /** Notes that a node is begun which gets its slot only in the end. Gives the number of slots when it was last begun, if it was. */
  begin(node: object): number | undefined {
    const slot = this.#slots.get(node);
    this.#slots.set(node, -1 - this.#slot);
    return slot === undefined ? undefined : -1 - slot;
  }

  #get(slot: number): void {
    this.op(slot <= 0xff ? OPCODES.BINGET : OPCODES.LONG_BINGET);
    if (slot <= 0xff) this.#out.u8(slot);
    else this.#out.u32(slot);
  }

  /** Puts the value that was just written into the memo. */
  remember(value: object): void {
    this.#slots.set(value, this.put());
  }

  /** Takes a memo slot for what was just written. */
  put(): number {
    const slot = this.#slot++;
    this.op(slot <= 0xff ? OPCODES.BINPUT : OPCODES.LONG_BINPUT);
    if (slot <= 0xff) this.#out.u8(slot);
    else this.#out.u32(slot);
    return slot;
  }
}

/** The error for a value that a pickle of protocol 2 cannot hold. */
export function invalid(message: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", message);
}
