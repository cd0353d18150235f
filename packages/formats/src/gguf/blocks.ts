import type { Bytes } from "@ckptkit/core";

/**
 * Blocks of 32 elements. Every product and sum is rounded to float32, as ggml's reference implementation rounds it.
 *
 * @see https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c dequantize_row_q4_0 and those after it
 */
const { fround } = Math;

/** The number of a float16 that stands little-endian at `at`. */
export function half(bytes: Bytes, at: number): number {
  const bits = (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  const sign = bits < 0x8000 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** Calls `decode` with where each block begins in the bytes and in the numbers. */
export function eachBlock(blockBytes: number, elements: number, numbers: Float32Array, decode: (at: number, to: number) => void): void {
  for (let at = 0, to = 0; to < numbers.length; at += blockBytes, to += elements) decode(at, to);
}

/** Sixteen bytes of two numbers each: the low halves are the first sixteen elements. */
function nibbles(bytes: Bytes, at: number, take: (element: number, nibble: number) => void): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + i] ?? 0;
    take(i, byte & 15);
    take(i + 16, byte >> 4);
  }
}

/** The fifth bits of 32 elements: one of a byte each, the lowest first. */
const fifth = (bytes: Bytes, at: number, element: number): number => (((bytes[at + (element >> 3)] ?? 0) >> (element & 7)) & 1) << 4;

/** Scale; 4 bits, less 8. */
export function decodeQ4_0(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(18, 32, numbers, (at, to) => {
    const d = half(bytes, at);
    nibbles(bytes, at + 2, (element, q) => {
      numbers[to + element] = d * (q - 8);
    });
  });
}

/** Scale and minimum; 4 bits. */
export function decodeQ4_1(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(20, 32, numbers, (at, to) => {
    const d = half(bytes, at);
    const m = half(bytes, at + 2);
    nibbles(bytes, at + 4, (element, q) => {
      numbers[to + element] = fround(d * q) + m;
    });
  });
}

/** Scale; the fifth bits; 4 bits: less 16 in all. */
export function decodeQ5_0(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(22, 32, numbers, (at, to) => {
    const d = half(bytes, at);
    nibbles(bytes, at + 6, (element, q) => {
      numbers[to + element] = d * ((q | fifth(bytes, at + 2, element)) - 16);
    });
  });
}

/** Scale and minimum; the fifth bits; 4 bits. */
export function decodeQ5_1(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(24, 32, numbers, (at, to) => {
    const d = half(bytes, at);
    const m = half(bytes, at + 2);
    nibbles(bytes, at + 8, (element, q) => {
      numbers[to + element] = fround(d * (q | fifth(bytes, at + 4, element))) + m;
    });
  });
}

/** Scale; signed bytes. */
export function decodeQ8_0(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(34, 32, numbers, (at, to) => {
    const d = half(bytes, at);
    for (let i = 0; i < 32; i++) numbers[to + i] = d * signed(bytes[at + 2 + i]);
  });
}

/** A byte as a signed number. */
export const signed = (byte: number | undefined): number => ((byte ?? 0) << 24) >> 24;

/** The sixteen values of IQ4_NL and IQ4_XS. @see https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h kvalues_iq4nl */
const IQ4_VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** Scale; 4 bits that choose a value. */
export function decodeIq4Nl(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(18, 32, numbers, (at, to) => {
    const d = half(bytes, at);
    nibbles(bytes, at + 2, (element, q) => {
      numbers[to + element] = d * (IQ4_VALUES[q] ?? 0);
    });
  });
}

/** The same in 256 elements: a scale, and for each 32 of them one of 6 bits, less 32. */
export function decodeIq4Xs(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(136, 256, numbers, (at, to) => {
    const d = half(bytes, at);
    const high = (bytes[at + 2] ?? 0) + 256 * (bytes[at + 3] ?? 0);
    for (let part = 0; part < 8; part++) {
      const low = ((bytes[at + 4 + (part >> 1)] ?? 0) >> (4 * (part & 1))) & 15;
      const scale = fround(d * ((low | (((high >> (2 * part)) & 3) << 4)) - 32));
      nibbles(bytes, at + 8 + 16 * part, (element, q) => {
        numbers[to + 32 * part + element] = scale * (IQ4_VALUES[q] ?? 0);
      });
    }
  });
}

/** E2M1 values, doubled. @see https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf section 5.3.3 */
const E2M1_DOUBLED = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/** A power of two as a scale; 4-bit floats. */
export function decodeMxfp4(bytes: Bytes, numbers: Float32Array): void {
  eachBlock(17, 32, numbers, (at, to) => {
    const d = 2 ** ((bytes[at] ?? 0) - 128); // half of the scale, as the values are doubled
    nibbles(bytes, at + 1, (element, q) => {
      numbers[to + element] = d * (E2M1_DOUBLED[q] ?? 0);
    });
  });
}
