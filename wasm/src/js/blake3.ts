import type { Bytes } from "@ckptkit/core";
import type { IncrementalHash } from "./incremental-hash.js";

/** Initial chaining value: that of SHA-256, FIPS 180-4 section 5.3.3. */
const IV = /* @__PURE__ */ Int32Array.from([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const HALF_IV = /* @__PURE__ */ IV.slice(0, 4);
/** How the words of a message change places between two rounds: table 2 of the specification. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const ROUNDS = 7;
/** Which word of the message each addition of each round takes: a row of sixteen a round. */
const ORDER = /* @__PURE__ */ order();
const BLOCK = 64;
const CHUNK = 1024;

// Flags: table 3 of the specification.
const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;

/** State of one compression. Used within one call only. */
const V = /* @__PURE__ */ new Int32Array(16);

function order(): Uint8Array {
  const rows = Uint8Array.from({ length: 16 * ROUNDS }, (_, i) => i);
  for (let i = 16; i < rows.length; i++) rows[i] = rows[(i & ~15) - 16 + (PERMUTATION[i & 15] ?? 0)] ?? 0;
  return rows;
}

const rotate = (x: number, bits: number): number => (x >>> bits) | (x << (32 - bits));

/** The quarter round G on four words of V: section 2.2 of the specification. */
function quarter(ia: number, ib: number, ic: number, id: number, x: number, y: number): void {
  let a = V[ia] ?? 0;
  let b = V[ib] ?? 0;
  let c = V[ic] ?? 0;
  let d = V[id] ?? 0;
  a = (a + b + x) | 0;
  d = rotate(d ^ a, 16);
  c = (c + d) | 0;
  b = rotate(b ^ c, 12);
  a = (a + b + y) | 0;
  d = rotate(d ^ a, 8);
  c = (c + d) | 0;
  b = rotate(b ^ c, 7);
  V[ia] = a;
  V[ib] = b;
  V[ic] = c;
  V[id] = d;
}

/** Columns, then diagonals. `at` is the round's row in ORDER. */
function mix(m: Int32Array, at: number): void {
  for (let i = 0; i < 4; i++) quarter(i, i + 4, i + 8, i + 12, word(m, at + 2 * i), word(m, at + 2 * i + 1));
  for (let i = 0; i < 4; i++) {
    quarter(i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3), word(m, at + 8 + 2 * i), word(m, at + 9 + 2 * i));
  }
}

function word(m: Int32Array, place: number): number {
  return m[ORDER[place] ?? 0] ?? 0;
}

/** A node of the tree before its compression: what a digest must be able to compress as the root. */
interface Node {
  readonly value: Int32Array;
  readonly words: Int32Array;
  readonly counter: number;
  readonly length: number;
  readonly flags: number;
}

/** The 32-byte chaining value of a node. */
function compress({ value, words, counter, length, flags }: Node): Int32Array {
  V.set(value);
  V.set(HALF_IV, 8);
  V[12] = counter % 2 ** 32;
  V[13] = Math.floor(counter / 2 ** 32);
  V[14] = length;
  V[15] = flags;
  for (let at = 0; at < 16 * ROUNDS; at += 16) mix(words, at);
  const out = new Int32Array(8);
  for (let i = 0; i < 8; i++) out[i] = (V[i] ?? 0) ^ (V[i + 8] ?? 0);
  return out;
}

function parent(left: Int32Array, right: Int32Array): Node {
  const words = new Int32Array(16);
  words.set(left);
  words.set(right, 8);
  return { value: IV, words, counter: 0, length: BLOCK, flags: PARENT };
}

class Blake3 implements IncrementalHash {
  /** Chaining values of finished subtrees, largest first. */
  readonly #stack: Int32Array[] = [];
  readonly #block = new Uint8Array(BLOCK);
  #value: Int32Array = IV;
  #counter = 0;
  /** Bytes of the current chunk, and how many of them wait in the block. */
  #used = 0;
  #waiting = 0;

  update(bytes: Bytes): void {
    for (let at = 0; at < bytes.length; ) {
      // Only now that more follows is it certain that what waits is neither the last block nor the root.
      if (this.#used === CHUNK) this.#endChunk();
      if (this.#waiting === BLOCK) {
        this.#value = compress(this.#node());
        this.#waiting = 0;
      }
      const part = Math.min(BLOCK - this.#waiting, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + part), this.#waiting);
      this.#waiting += part;
      this.#used += part;
      at += part;
    }
  }

  digest(): Uint8Array {
    let node = this.#node(CHUNK_END);
    for (const left of this.#stack.toReversed()) node = parent(left, compress(node));
    const digest = new DataView(new ArrayBuffer(32));
    for (const [index, word] of compress({ ...node, flags: node.flags | ROOT }).entries()) digest.setInt32(4 * index, word, true);
    return new Uint8Array(digest.buffer);
  }

  /** The block that waits. */
  #node(flags = 0): Node {
    const view = new DataView(this.#block.fill(0, this.#waiting).buffer);
    const words = new Int32Array(16);
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(4 * i, true);
    const start = this.#used <= BLOCK ? CHUNK_START : 0;
    return { value: this.#value, words, counter: this.#counter, length: this.#waiting, flags: flags | start };
  }

  /** Puts the current chunk on the stack, with all the parents that it completes. */
  #endChunk(): void {
    let value = compress(this.#node(CHUNK_END));
    for (let digits = this.#counter; digits % 2 === 1; digits = Math.floor(digits / 2)) {
      const left = this.#stack.pop();
      if (left) value = compress(parent(left, value));
    }
    this.#stack.push(value);
    this.#counter++;
    this.#value = IV;
    this.#used = 0;
    this.#waiting = 0;
  }
}

/**
 * An incremental BLAKE3 in plain hash mode, 32-byte digest.
 *
 * @see https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf
 */
export function blake3Hash(): IncrementalHash {
  return new Blake3();
}
