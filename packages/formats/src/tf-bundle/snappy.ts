import type { Bytes } from "@ckptkit/core";
import { readVarint } from "../protobuf/wire.js";

/** A copy of 64 bytes is three bytes long: nothing grows by more than this. */
const MOST_RATIO = 22;

/**
 * The bytes that a block of Snappy stands for; undefined when it is malformed.
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
export function unsnap(block: Bytes): Bytes | undefined {
  const length = readVarint(block, 0);
  if (!length || typeof length.value !== "number" || length.value > block.length * MOST_RATIO) return undefined;
  const out = new Uint8Array(length.value);
  let to = 0;
  for (let at = length.end; at < block.length; ) {
    const tag = block[at++] ?? 0;
    const kind = tag & 3;
    const high = tag >>> 2;
    if (kind === 0) {
      const extra = Math.max(0, high - 59);
      const bytes = extra > 0 ? little(block, at, extra) + 1 : high + 1;
      at += extra;
      if (at + bytes > block.length || to + bytes > out.length) return undefined;
      out.set(block.subarray(at, at + bytes), to);
      at += bytes;
      to += bytes;
      continue;
    }
    const bytes = kind === 1 ? (high & 7) + 4 : high + 1;
    const back = kind === 1 ? (high >>> 3) * 256 + little(block, at, 1) : little(block, at, kind === 2 ? 2 : 4);
    at += kind === 1 ? 1 : kind === 2 ? 2 : 4;
    if (back === 0 || back > to || at > block.length || to + bytes > out.length) return undefined;
    // Byte by byte: a copy may repeat what it has just written.
    for (const end = to + bytes; to < end; to++) out[to] = out[to - back] ?? 0;
  }
  return to === out.length ? out : undefined;
}

function little(bytes: Bytes, at: number, count: number): number {
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
