import type { Bytes } from "@ckptkit/core";
import type { IncrementalHash } from "./incremental-hash.js";

/** What SHA-256 and MD5 differ in. */
export interface BlockHashRules {
  /** Initial chaining value. */
  readonly initial: readonly number[];
  /** Whether words and the length are little-endian. */
  readonly littleEndian: boolean;
  /** Mixes the 64 bytes at `offset` into the chaining value. */
  compress(value: Int32Array, block: DataView, offset: number): void;
}

/** Length of a block in bytes. */
const BLOCK = 64;

/** A Merkle-Damgard hash: 64-byte blocks, padding 0x80 0x00..., then the length in bits as a 64-bit integer. */
export class BlockHash implements IncrementalHash {
  readonly #rules: BlockHashRules;
  readonly #value: Int32Array;
  readonly #block = new Uint8Array(BLOCK);
  readonly #view = new DataView(this.#block.buffer);
  #total = 0;

  constructor(rules: BlockHashRules) {
    this.#rules = rules;
    this.#value = Int32Array.from(rules.initial);
  }

  update(bytes: Bytes): void {
    const used = this.#total % BLOCK;
    this.#total += bytes.length;
    let at = 0;
    if (used > 0) {
      at = Math.min(BLOCK - used, bytes.length);
      this.#block.set(bytes.subarray(0, at), used);
      if (used + at < BLOCK) return;
      this.#rules.compress(this.#value, this.#view, 0);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.#rules.compress(this.#value, view, at);
    this.#block.set(bytes.subarray(at));
  }

  digest(): Uint8Array {
    const { compress, littleEndian } = this.#rules;
    const used = this.#total % BLOCK;
    const tail = new DataView(new ArrayBuffer(used < 56 ? BLOCK : 2 * BLOCK));
    new Uint8Array(tail.buffer).set(this.#block.subarray(0, used));
    tail.setUint8(used, 0x80);
    tail.setBigUint64(tail.byteLength - 8, BigInt(this.#total) * 8n, littleEndian);
    const value = this.#value.slice();
    for (let at = 0; at < tail.byteLength; at += BLOCK) compress(value, tail, at);
    const digest = new DataView(new ArrayBuffer(value.byteLength));
    for (const [index, word] of value.entries()) digest.setInt32(4 * index, word, littleEndian);
    return new Uint8Array(digest.buffer);
  }
}
