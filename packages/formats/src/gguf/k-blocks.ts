import type { Bytes } from "@ckptkit/core";
import { eachBlock, half, signed } from "./blocks.js";

/**
 * Blocks of 256 elements whose parts have scales of their own. Every product and difference is rounded to float32, as ggml's reference
 * implementation rounds it.
 *
 * @see https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c dequantize_row_q2_K and those after it; src/ggml-common.h block_q2_K
 */
const { fround } = Math;

/** 16 parts: 4 bits of scale and 4 of minimum each; 2 bits an element. */
export function decodeQ2K(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(84, 256, numbers, (at, to) => {
    const d = half(bytes, at + 80);
    const least = half(bytes, at + 82);
    for (let element = 0; element < 256; element++) {
      const part = bytes[at + (element >> 4)] ?? 0;
      const q = (byteOf32(bytes, at + 16, element, 128) >> (2 * ((element >> 5) & 3))) & 3;
      numbers[to + element] = fround(fround(d * (part & 15)) * q) - fround(least * (part >> 4));
    }
  });
}

/** The byte of an element where each run of `span` elements shares 32 bytes. */
const byteOf32 = (bytes: Bytes, at: number, element: number, span: number): number =>
  bytes[at + 32 * Math.floor(element / span) + (element & 31)] ?? 0;

/** 16 parts with scales of 6 bits, less 32; 2 bits an element, and a third in the mask: less 4 where that is not set. */
export function decodeQ3K(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(110, 256, numbers, (at, to) => {
    const d = half(bytes, at + 108);
    for (let element = 0; element < 256; element++) {
      const part = element >> 4;
      const low = ((bytes[at + 96 + (part & 7)] ?? 0) >> (part < 8 ? 0 : 4)) & 15;
      const high = ((bytes[at + 104 + (part & 3)] ?? 0) >> (2 * (part >> 2))) & 3;
      const scale = fround(d * ((low | (high << 4)) - 32));
      const q = (byteOf32(bytes, at + 32, element, 128) >> (2 * ((element >> 5) & 3))) & 3;
      const isSet = ((bytes[at + (element & 31)] ?? 0) >> (element >> 5)) & 1;
      numbers[to + element] = scale * (q - (isSet ? 0 : 4));
    }
  });
}

/** Scale (0) and minimum (1) of one of 8 parts: 6 bits each, packed in 12 bytes. @see ggml-quants.c get_scale_min_k4 */
function scaleOf(bytes: Bytes, at: number, part: number, which: 0 | 1): number {
  const own = bytes[at + 4 * which + (part & 3)] ?? 0;
  if (part < 4) return own & 63;
  return (((bytes[at + 4 + part] ?? 0) >> (4 * which)) & 15) | ((own >> 6) << 4);
}

/** 8 parts with scale and minimum; 4 bits an element. */
export function decodeQ4K(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(144, 256, numbers, (at, to) => decodeParts(bytes, at, to, numbers, at + 16, undefined));
}

/** The same with the fifth bits before. */
export function decodeQ5K(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(176, 256, numbers, (at, to) => decodeParts(bytes, at, to, numbers, at + 48, at + 16));
}

function decodeParts(bytes: Bytes, at: number, to: number, numbers: Float32Array, low: number, high: number | undefined): void {
  const d = half(bytes, at);
  const least = half(bytes, at + 2);
  for (let part = 0; part < 8; part++) {
    const scale = fround(d * scaleOf(bytes, at + 4, part, 0));
    const minimum = fround(least * scaleOf(bytes, at + 4, part, 1));
    for (let i = 0; i < 32; i++) {
      const q = ((bytes[low + 32 * (part >> 1) + i] ?? 0) >> (4 * (part & 1))) & 15;
      const fifth = high === undefined ? 0 : (((bytes[high + i] ?? 0) >> part) & 1) << 4;
      numbers[to + 32 * part + i] = fround(scale * (q | fifth)) - minimum;
    }
  }
}

/** 16 parts with signed bytes as scales; 4 and 2 bits an element, less 32. */
export function decodeQ6K(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(210, 256, numbers, (at, to) => {
    const d = half(bytes, at + 208);
    for (let element = 0; element < 256; element++) {
      const scale = fround(d * signed(bytes[at + 192 + (element >> 4)]));
      const half128 = element >> 7;
      const within = element & 127;
      const low = ((bytes[at + 64 * half128 + (within & 63)] ?? 0) >> (within < 64 ? 0 : 4)) & 15;
      const high = ((bytes[at + 128 + 32 * half128 + (within & 31)] ?? 0) >> (2 * (within >> 5))) & 3;
      numbers[to + element] = scale * ((low | (high << 4)) - 32);
    }
  });
}

/** A float32 as scale; signed bytes; sums that only products of blocks need. */
export function decodeQ8K(bytes: Bytes, numbers: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  eachBlock(292, 256, numbers, (at, to) => {
    const d = view.getFloat32(at, true);
    for (let i = 0; i < 256; i++) numbers[to + i] = d * signed(bytes[at + 4 + i]);
  });
}
