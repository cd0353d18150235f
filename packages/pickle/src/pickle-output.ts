import { CheckpointConfigError } from "@ckptkit/core";
import { ByteWriter } from "./byte-writer.js";
import { encodeLong } from "./numbers.js";
import { OPCODES, type OpcodeName } from "./opcodes.js";
import { protocol2Global } from "./python2-names.js";
import { encodeUtf8 } from "./strings.js";
import type { PickleGlobal } from "./values.js";

/** Writes the values of protocol 2 that have no members, and keeps the memo. */
export class PickleOutput {
  readonly #out = new ByteWriter();
  /** Memo slots of nodes, bytes and strings. */
  readonly #slots = new Map<object | string, number>();
  /** Memo slots of globals, by `module\nname`. */
  readonly #globals = new Map<string, number>();
  #slot = 0;

  constructor() {
    this.op("PROTO");
    this.#out.u8(2);
  }

  /** Number of memo slots in use. */
  get slots(): number {
    return this.#slot;
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.op("STOP");
    return this.#out.finish();
  }

  op(name: OpcodeName): void {
    this.#out.u8(OPCODES[name][0]);
  }

  number(value: number): void {
    if (!Number.isInteger(value)) this.float(value);
    else if (Number.isSafeInteger(value)) this.integer(value);
    else throw invalid(`The number ${value} is no exact integer. Give integers as bigint, and reals as { kind: "real", value }.`);
  }

  integer(value: number | bigint): void {
    if (value >= 0 && value <= 0xff) {
      this.op("BININT1");
      this.#out.u8(Number(value));
    } else if (value >= 0 && value <= 0xffff) {
      this.op("BININT2");
      this.#out.u16(Number(value));
    } else if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.op("BININT");
      this.#out.i32(Number(value));
    } else {
      const bytes = encodeLong(BigInt(value));
      if (bytes.length <= 0xff) {
        this.op("LONG1");
        this.#out.u8(bytes.length);
      } else {
        this.op("LONG4");
        this.#out.i32(bytes.length);
      }
      this.#out.bytes(bytes);
    }
  }

  float(value: number): void {
    this.op("BINFLOAT");
    this.#out.f64(value);
  }

  string(text: string): void {
    if (this.known(text)) return;
    this.#unicode(encodeUtf8(text));
    this.remember(text);
  }

  #unicode(utf8: Uint8Array): void {
    this.op("BINUNICODE");
    this.#out.u32(utf8.length);
    this.#out.bytes(utf8);
  }

  /** Protocol 2 has no bytes: CPython writes `_codecs.encode(text, "latin1")`, which Python 2 understands too. */
  bytes(bytes: Uint8Array): void {
    this.global({ kind: "global", module: "_codecs", name: "encode" });
    const utf8 = new Uint8Array(bytes.length + bytes.reduce((count, byte) => count + (byte >> 7), 0));
    let length = 0;
    for (const byte of bytes) {
      if (byte >= 0x80) utf8[length++] = 0xc0 | (byte >> 6);
      utf8[length++] = byte >= 0x80 ? 0x80 | (byte & 0x3f) : byte;
    }
    this.#unicode(utf8);
    this.string("latin1");
    this.op("TUPLE2");
    this.op("REDUCE");
    this.remember(bytes);
  }

  global(node: PickleGlobal): void {
    if (node.states || node.items || node.entries || node.setItems) {
      throw invalid(`The global ${node.module}.${node.name} is changed: that is never written.`);
    }
    const { module, name } = protocol2Global(node.module, node.name);
    if (`${module}${name}`.includes("\n")) throw invalid("The name of a global has a line feed.");
    const key = `${module}\n${name}`;
    const slot = this.#globals.get(key);
    if (slot !== undefined) {
      this.#get(slot);
      return;
    }
    this.op("GLOBAL");
    this.#out.bytes(encodeUtf8(`${key}\n`));
    this.#globals.set(key, this.#put());
  }

  /** Whether a value has a memo slot. */
  has(value: object): boolean {
    return this.#slots.has(value);
  }

  /** Fetches a value that was written before. */
  known(value: object | string): boolean {
    const slot = this.#slots.get(value);
    if (slot !== undefined) this.#get(slot);
    return slot !== undefined;
  }

  #get(slot: number): void {
    this.op(slot <= 0xff ? "BINGET" : "LONG_BINGET");
    if (slot <= 0xff) this.#out.u8(slot);
    else this.#out.u32(slot);
  }

  remember(value: object | string): void {
    this.#slots.set(value, this.#put());
  }

  #put(): number {
    const slot = this.#slot++;
    this.op(slot <= 0xff ? "BINPUT" : "LONG_BINPUT");
    if (slot <= 0xff) this.#out.u8(slot);
    else this.#out.u32(slot);
    return slot;
  }
}

/** The error for a value that a pickle of protocol 2 cannot hold. */
export function invalid(message: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", message);
}
