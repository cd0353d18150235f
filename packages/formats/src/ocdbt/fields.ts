import type { Bytes } from "@ckptkit/core";
import { ocdbtError } from "./errors.js";

/** Values of a node or manifest, one after another. */
export class Fields {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  readonly #name: string;
  #at = 0;

  constructor(bytes: Bytes, name: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** @throws {CheckpointLoadError} OCDBT_CORRUPT */
  bad(why: string): never {
    throw ocdbtError(this.#name, why);
  }

  #take(count: number): number {
    if (count > this.left) this.bad("it ends too early");
    this.#at += count;
    return this.#at - count;
  }

  u8 = (): number => this.#view.getUint8(this.#take(1));
  u64 = (): bigint => this.#view.getBigUint64(this.#take(8), true);
  skip = (count: number): void => void this.#take(count);

  /** Bytes as text of one character each, which sorts as bytes do. */
  text(count: number): string {
    const at = this.#take(count);
    let text = "";
    for (let first = at; first < at + count; first += 4096)
      text += String.fromCharCode(...this.#bytes.subarray(first, Math.min(at + count, first + 4096)));
    return text;
  }

  bytes(count: number): Bytes {
    const at = this.#take(count);
    return this.#bytes.slice(at, at + count);
  }

  /** An unsigned LEB128 number; undefined for one beyond 2^53 - 1, which stands for nothing. */
  varint(): number | undefined {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.u8();
      value += (byte % 128) * 2 ** shift;
      if (byte < 128) return Number.isSafeInteger(value) ? value : undefined;
    }
    return this.bad("a number has more than 64 bits");
  }

  /** @throws {CheckpointLoadError} OCDBT_CORRUPT for a number beyond 2^53 - 1 */
  size(): number {
    return this.varint() ?? this.bad("a number is beyond 2^53 - 1");
  }

  /** A count of things that take a byte each at the least. */
  count(): number {
    const count = this.size();
    if (count > this.left) this.bad(`it says that ${count} entries follow, where ${this.left} bytes do`);
    return count;
  }

  /** So many numbers. */
  sizes(count: number): number[] {
    return Array.from({ length: count }, () => this.size());
  }
}
