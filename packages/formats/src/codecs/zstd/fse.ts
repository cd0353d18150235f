import type { Bytes } from "@ckptkit/core";
import { bad } from "../errors.js";
import { ForwardBits } from "./bits.js";

/** A table of finite state entropy: of each state its symbol, the bits to read and what to add to them for the next state. */
export interface FseTable {
  /** Bits of the first state. */
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly next: Uint16Array;
}

/** A table of one symbol, which takes no bits. */
export const onlySymbol = (symbol: number): FseTable => ({
  log: 0,
  symbols: Uint8Array.of(symbol),
  bits: new Uint8Array(1),
  next: new Uint16Array(1),
});

/**
 * Builds a table from the probabilities of its symbols, of which -1 means "less than one".
 *
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-4.1.1
 */
export function buildFse(counts: ArrayLike<number>, log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const bits = new Uint8Array(size);
  const next = new Uint16Array(size);
  const states = new Uint16Array(counts.length);
  let high = size;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    if (counts[symbol] !== -1) continue;
    symbols[--high] = symbol;
    states[symbol] = 1;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    const count = counts[symbol] ?? 0;
    if (count <= 0) continue;
    states[symbol] = count;
    for (let index = 0; index < count; index++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] ?? 0;
    const from = states[symbol] ?? 0;
    states[symbol] = from + 1;
    const count = log - (31 - Math.clz32(from));
    bits[state] = count;
    next[state] = (from << count) - size;
  }
  return { log, symbols, bits, next };
}

/**
 * Reads the description of a table.
 *
 * @returns the table, and where the bytes behind its description begin.
 * @throws {BlockError}
 */
export function readFse(bytes: Bytes, start: number, mostLog: number, mostSymbols: number): { table: FseTable; end: number } {
  const reader = new ForwardBits(bytes, start);
  const log = reader.read(4) + 5;
  if (log > mostLog) bad(`a table has 2^${log} states`);
  const counts = new Int16Array(mostSymbols);
  let left = 1 << log;
  let symbol = 0;
  while (left > 0) {
    if (symbol >= mostSymbols) bad("a table has too many symbols");
    const width = 32 - Math.clz32(left + 1);
    let value = reader.read(width);
    const low = value & ((1 << (width - 1)) - 1);
    const threshold = (1 << width) - 1 - (left + 1);
    if (low < threshold) {
      reader.skip(-1);
      value = low;
    } else if (value >= 1 << (width - 1)) value -= threshold;
    const count = value - 1;
    left -= Math.abs(count);
    counts[symbol++] = count;
    if (count !== 0) continue;
    let repeat: number;
    do {
      repeat = reader.read(2);
      symbol += repeat;
    } while (repeat === 3);
  }
  if (left < 0 || symbol > mostSymbols) bad("the probabilities of a table make no sense");
  return { table: buildFse(counts.subarray(0, symbol), log), end: reader.byte };
}
