import type { Bytes } from "./byte-source.js";
import type { ScanDType } from "./kernels.js";

/** What a number is that is not finite. */
export type NonFinite = "nan" | "inf" | "-inf";

/** How to tell a NaN or an infinity by its bits. All bits of the exponent are set, and none of the mantissa of an infinity. */
interface Pattern {
  /** Bytes of the words that are looked at: the upper half of a float64. */
  readonly wordBytes: 1 | 2 | 4;
  /** Words of one number; the last of them has sign and exponent. */
  readonly words: 1 | 2;
  readonly exponent: number;
  readonly mantissa: number;
}

const pattern = (wordBytes: 1 | 2 | 4, exponent: number, mantissa: number, words: 1 | 2 = 1): Pattern => ({
  wordBytes,
  words,
  exponent,
  mantissa,
});

/**
 * IEEE 754-2019 table 3.5; bfloat16 is the upper half of binary32. F8_E4M3 has no infinities: its NaNs have all seven bits set.
 *
 * @see https://arxiv.org/abs/2209.05433 table 1
 */
const PATTERNS: Partial<Record<ScanDType, Pattern>> = {
  F64: /* @__PURE__ */ pattern(4, 0x7ff00000, 0x000fffff, 2),
  F32: /* @__PURE__ */ pattern(4, 0x7f800000, 0x007fffff),
  C64: /* @__PURE__ */ pattern(4, 0x7f800000, 0x007fffff),
  F16: /* @__PURE__ */ pattern(2, 0x7c00, 0x03ff),
  BF16: /* @__PURE__ */ pattern(2, 0x7f80, 0x007f),
  F8_E5M2: /* @__PURE__ */ pattern(1, 0x7c, 0x03),
  F8_E4M3: /* @__PURE__ */ pattern(1, 0x7f, 0x7f),
};

/** Whether a dtype has NaN or infinities. */
export function hasNonFinite(dtype: ScanDType): boolean {
  return PATTERNS[dtype] !== undefined;
}

/**
 * Where the first NaN or infinity of little-endian elements begins, in bytes, at `from` or after it; -1 when there is none. `from` is
 * at a number's start.
 *
 * @example nextNonFinite("F32", new Uint8Array(Float32Array.of(1, Number.NaN).buffer)) // 4
 */
export function nextNonFinite(dtype: ScanDType, bytes: Bytes, from = 0): number {
  const found = PATTERNS[dtype];
  if (!found) return -1;
  const { wordBytes, words, exponent } = found;
  const aligned = bytes.byteOffset % wordBytes === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const count = Math.floor(bytes.length / wordBytes);
  const all =
    wordBytes === 4
      ? new Int32Array(buffer, byteOffset, count)
      : wordBytes === 2
        ? new Uint16Array(buffer, byteOffset, count)
        : new Uint8Array(buffer, byteOffset, count);
  for (let at = from / wordBytes + words - 1; at < count; at += words) {
    if (((all[at] ?? 0) & exponent) === exponent) return (at - words + 1) * wordBytes;
  }
  return -1;
}

/** What the number at `at`, which {@link nextNonFinite} has found, is. */
export function nonFiniteAt(dtype: ScanDType, bytes: Bytes, at: number): NonFinite {
  const { wordBytes, words, mantissa } = PATTERNS[dtype] ?? pattern(1, 0, 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const low = words === 2 ? view.getUint32(at, true) : 0;
  const place = at + (words - 1) * wordBytes;
  const word = wordBytes === 4 ? view.getInt32(place, true) : wordBytes === 2 ? view.getInt16(place, true) : view.getInt8(place);
  if ((word & mantissa) !== 0 || low !== 0) return "nan";
  return word < 0 ? "-inf" : "inf";
}
