import type { Bytes } from "@ckptkit/core";
import { bad } from "./errors.js";

/**
 * Decodes one block of LZ4 into all of `target`.
 *
 * @throws {BlockError}
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
export function decodeLz4(block: Bytes, target: Bytes): void {
  let from = 0;
  let to = 0;
  /** What follows 15 in a length: bytes that are added up as long as they are 255. */
  const more = (): number => {
    let sum = 0;
    for (;;) {
      const byte = block[from++] ?? bad("a length of LZ4 is cut off");
      sum += byte;
      if (byte !== 255) return sum;
    }
  };
  while (from < block.length) {
    const token = block[from++] ?? 0;
    const literals = token >> 4 === 15 ? 15 + more() : token >> 4;
    if (from + literals > block.length || to + literals > target.length) bad("literals of LZ4 are cut off");
    target.set(block.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    if (from === block.length) break; // the last sequence has literals only
    const offset = (block[from] ?? 0) + (block[from + 1] ?? 0) * 256;
    from += 2;
    const length = (token % 16 === 15 ? 15 + more() : token % 16) + 4;
    to = copyBack(target, to, offset, length);
  }
  if (to !== target.length) bad(`LZ4 gives ${to} bytes, not ${target.length}`);
}

/** Copies bytes from `offset` before; they may overlap what they are copied to. @returns where they end. @throws {BlockError} */
export function copyBack(target: Bytes, at: number, offset: number, length: number): number {
  const end = at + length;
  if (offset < 1 || offset > at || end > target.length) bad("a match leads out of the block");
  if (offset >= length) target.copyWithin(at, at - offset, end - offset);
  else for (let to = at; to < end; to++) target[to] = target[to - offset] ?? 0;
  return end;
}
