import type { Bytes } from "@ckptkit/core";
import { bad } from "./errors.js";
import { copyBack } from "./lz4.js";

/** The largest distance of a short match. */
const MOST_NEAR = 8191;

/**
 * Decodes one block of BloscLZ into all of `target`.
 *
 * @throws {BlockError}
 * @see https://github.com/Blosc/c-blosc blosc/blosclz.c, blosclz_decompress
 */
export function decodeBloscLz(block: Bytes, target: Bytes): void {
  let from = 0;
  let to = 0;
  const next = (): number => block[from++] ?? bad("a match of BloscLZ is cut off");
  while (from < block.length) {
    // The first byte never begins a match.
    const control = from === 0 ? next() % 32 : next();
    if (control < 32) {
      const literals = control + 1;
      if (from + literals > block.length || to + literals > target.length) bad("literals of BloscLZ are cut off");
      target.set(block.subarray(from, from + literals), to);
      from += literals;
      to += literals;
      continue;
    }
    let length = (control >> 5) - 1;
    if (length === 6) {
      let byte: number;
      do {
        byte = next();
        length += byte;
      } while (byte === 255);
    }
    const high = (control % 32) * 256;
    const low = next();
    const distance = low === 255 && high === 31 * 256 ? next() * 256 + next() + MOST_NEAR : high + low;
    to = copyBack(target, to, distance + 1, length + 3);
  }
  if (to !== target.length) bad(`BloscLZ gives ${to} bytes, not ${target.length}`);
}
