import type { Bytes } from "@ckptkit/core";
import { hdf5Error } from "./errors.js";

/** What fields of a structure are read with: the file's name for messages, and its sizes of addresses and lengths. */
export interface FieldSizes {
  readonly name: string;
  /** Bytes of an address. */
  readonly offsetBytes: number;
  /** Bytes of a length. */
  readonly lengthBytes: number;
}

const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of UTF-8; bytes that are none keep each byte as one character. */
export function decodeText(bytes: Bytes): string {
  try {
    // TextDecoder refuses views of shared memory.
    return UTF8.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
  } catch {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
}

/** Reads the little-endian fields of a structure that is in memory, one after the other. Past its end is an error with a code. */
export class Fields {
  at = 0;
  readonly bytes: Bytes;
  readonly sizes: FieldSizes;
  /** What the structure is, for messages. */
  readonly what: string;

  constructor(bytes: Bytes, sizes: FieldSizes, what: string) {
    this.bytes = bytes;
    this.sizes = sizes;
    this.what = what;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** The error for this structure. */
  bad(why: string): Error {
    return hdf5Error(this.sizes.name, `${this.what} ${why}`);
  }

  #tooShort(count: number): Error {
    return this.bad(`needs ${count} bytes where ${this.left} follow`);
  }

  /** The next bytes, not copied. */
  take(count: number): Bytes {
    if (count > this.left) throw this.#tooShort(count);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  skip(count: number): void {
    this.take(count);
  }

  /** Moves on to a multiple of 8 bytes from the structure's beginning, as far as it goes. */
  align(): void {
    this.at = Math.min(this.bytes.length, Math.ceil(this.at / 8) * 8);
  }

  /** An unsigned integer of 1 to 8 bytes. */
  uint(count: number): number {
    const value = this.#uint(count);
    if (!Number.isSafeInteger(value)) throw this.bad(`gives ${value}, beyond 2^53 - 1`);
    return value;
  }

  #uint(count: number): number {
    if (count < 0 || count > this.left) throw this.#tooShort(count);
    let value = 0;
    for (let byte = this.at + count - 1; byte >= this.at; byte--) value = value * 256 + (this.bytes[byte] ?? 0);
    this.at += count;
    return value;
  }

  u8 = (): number => this.uint(1);
  u16 = (): number => this.uint(2);
  u32 = (): number => this.uint(4);
  u64 = (): number => this.uint(8);

  /** A length in bytes. */
  length(): number {
    return this.uint(this.sizes.lengthBytes);
  }

  /** A length of which all bits set mean none: an unlimited size. */
  optionalLength(): number | undefined {
    return this.#optional(this.sizes.lengthBytes);
  }

  /** An address; undefined where all bits are set: nothing was allocated. */
  address(): number | undefined {
    return this.#optional(this.sizes.offsetBytes);
  }

  #optional(count: number): number | undefined {
    if (count > this.left) throw this.#tooShort(count);
    let ones = 0;
    while (ones < count && this.bytes[this.at + ones] === 0xff) ones++;
    if (ones < count) return this.uint(count);
    this.at += count;
    return undefined;
  }

  /** @throws {CheckpointLoadError} HDF5_CORRUPT where nothing was allocated */
  givenAddress(): number {
    const address = this.address();
    if (address === undefined) throw this.bad("has no address where one is needed");
    return address;
  }

  /** @throws {CheckpointLoadError} HDF5_CORRUPT unless these four letters follow */
  signature(expected: string): void {
    const found = String.fromCharCode(...this.take(4));
    if (found !== expected) throw this.bad(`begins with ${JSON.stringify(found)}, not with ${expected}`);
  }

  /** @throws {CheckpointLoadError} HDF5_CORRUPT unless the version that follows is one of these */
  version(...known: number[]): number {
    const version = this.u8();
    if (!known.includes(version)) throw this.bad(`has version ${version}`);
    return version;
  }

  /** Text up to a NUL byte, which is taken along. */
  zeroEnded(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw this.bad("has a name without an end");
    const text = decodeText(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }
}
