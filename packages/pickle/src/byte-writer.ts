import { encodeUtf8 } from "./strings.js";

/** Bytes that are written one after another into memory that grows. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Makes room for `count` bytes and gives the place where they go. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  /** Little-endian, as all integers of a pickle are. */
  u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
  }

  i32(value: number): void {
    const at = this.#grow(4);
    this.#view.setInt32(at, value, true);
  }

  /** Big-endian, as a pickle's floats are. */
  f64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, false);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A text as UTF-8 with its length in bytes in front. */
  text(text: string): void {
    const { length } = text;
    const start = this.#grow(4 + length) + 4;
    const bytes = this.#bytes;
    let high = 0;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      high |= code;
      bytes[start + index] = code;
    }
    if (high < 0x80) {
      this.#view.setUint32(start - 4, length, true);
      return;
    }
    this.#length = start - 4;
    const utf8 = encodeUtf8(text);
    this.u32(utf8.length);
    this.bytes(utf8);
  }

  /** What was written, in memory of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
