import type { Bytes } from "@ckptkit/core";
import { bad } from "../errors.js";
import { BackwardBits } from "./bits.js";
import { readFse } from "./fse.js";

/** A table of Huffman codes: of each next `log` bits the symbol, and how many of the bits are its code. */
export interface HuffmanTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

const MOST_LOG = 11;
const MOST_WEIGHT_LOG = 6;

/**
 * Reads the description of Huffman codes.
 *
 * @returns the codes, and where the bytes behind their description begin.
 * @throws {BlockError}
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-4.2.1
 */
export function readHuffman(bytes: Bytes, start: number, end: number): { table: HuffmanTable; end: number } {
  const head = bytes[start] ?? 0;
  const weights = new Uint8Array(256);
  let count: number;
  let after = start + 1;
  if (head < 128) {
    after += head;
    if (after > end) bad("the codes of literals are cut off");
    count = packedWeights(bytes.subarray(0, after), start + 1, weights);
  } else {
    count = head - 127;
    after += Math.ceil(count / 2);
    if (after > end) bad("the codes of literals are cut off");
    for (let index = 0; index < count; index++) {
      const pair = bytes[start + 1 + (index >> 1)] ?? 0;
      weights[index] = index % 2 === 0 ? pair >> 4 : pair & 15;
    }
  }
  return { table: tableOf(weights, count), end: after };
}

/** Weights that are compressed with two interleaved states. */
function packedWeights(bytes: Bytes, start: number, weights: Uint8Array): number {
  const { table, end } = readFse(bytes, start, MOST_WEIGHT_LOG, 16);
  const reader = new BackwardBits(bytes, end, bytes.length);
  let even = reader.read(table.log);
  let odd = reader.read(table.log);
  let count = 0;
  for (;;) {
    if (count > 253) bad("there are too many codes of literals");
    weights[count++] = table.symbols[even] ?? 0;
    even = (table.next[even] ?? 0) + reader.read(table.bits[even] ?? 0);
    if (reader.left < 0) {
      weights[count++] = table.symbols[odd] ?? 0;
      return count;
    }
    weights[count++] = table.symbols[odd] ?? 0;
    odd = (table.next[odd] ?? 0) + reader.read(table.bits[odd] ?? 0);
    if (reader.left < 0) {
      weights[count++] = table.symbols[even] ?? 0;
      return count;
    }
  }
}

/** The weight of the last symbol is what is missing to a power of two. */
function tableOf(weights: Uint8Array, count: number): HuffmanTable {
  let sum = 0;
  for (let symbol = 0; symbol < count; symbol++) {
    const weight = weights[symbol] ?? 0;
    if (weight > MOST_LOG) bad("a code of literals is too long");
    if (weight > 0) sum += 1 << (weight - 1);
  }
  if (sum === 0 || count > 255) bad("the codes of literals make no sense");
  const log = 32 - Math.clz32(sum);
  const missing = (1 << log) - sum;
  if (log > MOST_LOG || (missing & (missing - 1)) !== 0) bad("the codes of literals make no sense");
  weights[count] = 32 - Math.clz32(missing);
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const bits = new Uint8Array(size);
  let at = 0;
  for (let weight = 1; weight <= log; weight++) {
    for (let symbol = 0; symbol <= count; symbol++) {
      if (weights[symbol] !== weight) continue;
      const end = at + (1 << (weight - 1));
      symbols.fill(symbol, at, end);
      bits.fill(log + 1 - weight, at, end);
      at = end;
    }
  }
  if (at !== size) bad("the codes of literals make no sense");
  return { log, symbols, bits };
}

/** Decodes one stream into all of `target`. @throws {BlockError} */
export function decodeHuffman({ log, symbols, bits }: HuffmanTable, bytes: Bytes, start: number, end: number, target: Uint8Array): void {
  const reader = new BackwardBits(bytes, start, end);
  const mask = (1 << log) - 1;
  // The next bits, of which `log` are looked at, and how many are held.
  let held = 0;
  let count = 0;
  let left = reader.left;
  for (let at = 0; at < target.length; at++) {
    if (count < log) {
      const more = 24 - count;
      held = ((held & ((1 << count) - 1)) << more) | reader.read(more);
      count = 24;
    }
    const code = (held >>> (count - log)) & mask;
    target[at] = symbols[code] ?? 0;
    const used = bits[code] ?? 0;
    count -= used;
    left -= used;
  }
  if (left !== 0) bad("a stream of literals has another length than it says");
}
