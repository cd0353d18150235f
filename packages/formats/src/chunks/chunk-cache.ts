import type { Bytes } from "@ckptkit/core";

/** Bytes of unpacked chunks that a checkpoint keeps: rows of chunks of most datasets, so that reads in order unpack each chunk once. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Chunks that were unpacked lately, by their addresses or names. */
export class ChunkCache<Key = number> {
  /** The one that was not used for longest first. */
  readonly #chunks = new Map<Key, Bytes>();
  #bytes = 0;

  /** The chunk at an address; undefined when it is not kept, or of another length than the caller's. */
  get(address: Key, byteLength: number): Bytes | undefined {
    const bytes = this.#chunks.get(address);
    if (bytes?.length !== byteLength) return undefined;
    this.#chunks.delete(address);
    this.#chunks.set(address, bytes);
    return bytes;
  }

  keep(address: Key, bytes: Bytes): void {
    if (bytes.length > MOST_BYTES) return;
    this.#bytes += bytes.length - (this.#chunks.get(address)?.length ?? 0);
    this.#chunks.delete(address);
    this.#chunks.set(address, bytes);
    for (const [oldest, { length }] of this.#chunks) {
      if (this.#bytes <= MOST_BYTES) break;
      this.#chunks.delete(oldest);
      this.#bytes -= length;
    }
  }
}
