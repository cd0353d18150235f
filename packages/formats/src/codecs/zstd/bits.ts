import type { Bytes } from "@ckptkit/core";
import { bad } from "../errors.js";

/** Bits of a field of FSE tables, from the first byte on, the lowest first. */
export class ForwardBits {
  readonly #bytes: Bytes;
  #at: number;
  #bit = 0;

  constructor(bytes: Bytes, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  /** The first byte that is not begun. */
  get byte(): number {
    return this.#bit > 0 ? this.#at + 1 : this.#at;
  }

  /** Reads up to 16 bits. */
  read(count: number): number {
    if (this.#at * 8 + this.#bit + count > this.#bytes.length * 8) bad("a table is cut off");
    const { [this.#at]: first = 0, [this.#at + 1]: second = 0, [this.#at + 2]: third = 0 } = this.#bytes;
    const value = ((first | (second << 8) | (third << 16)) >>> this.#bit) & ((1 << count) - 1);
    this.skip(count);
    return value;
  }

  skip(count: number): void {
    const bits = this.#bit + count;
    this.#at += bits >> 3;
    this.#bit = bits & 7;
  }
}

/**
 * Bits that are read from the end on, the highest first. The last byte's highest set bit marks where they begin.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-4.1 (FSE, backwards bitstreams)
 */
export class BackwardBits {
  /** Bits that are left; below 0 when more were read than there are. */
  left: number;
  readonly #bytes: Bytes;
  readonly #start: number;

  /** Of the bytes [start, end). */
  constructor(bytes: Bytes, start: number, end: number) {
    const last = end > start ? (bytes[end - 1] ?? 0) : 0;
    if (last === 0) bad("a stream of bits does not say where it begins");
    this.#bytes = bytes;
    this.#start = start;
    this.left = (end - start - 1) * 8 + (31 - Math.clz32(last));
  }

  /** Reads up to 24 bits. Those before the first are 0. */
  read(count: number): number {
    this.left -= count;
    if (this.left >= 0) {
      const at = this.#start + (this.left >> 3);
      const bytes = this.#bytes;
      // Written out, because this is most of what decoding does.
      const four = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
      return (four >>> (this.left & 7)) & ((1 << count) - 1);
    }
    const missing = -this.left;
    if (missing >= count) return 0;
    const kept = count - missing;
    const three =
      (this.#bytes[this.#start] ?? 0) | ((this.#bytes[this.#start + 1] ?? 0) << 8) | ((this.#bytes[this.#start + 2] ?? 0) << 16);
    return (three & ((1 << kept) - 1)) << missing;
  }
}
