import type { ScanDType } from "@ckptkit/core";

/** A binary float format of at most 16 bits. */
interface FloatFormat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  /** The "fn" formats have no infinities; all ones is their only NaN. */
  readonly finiteOnly?: boolean;
}

/** IEEE 754-2019 section 3.4; bfloat16 as the upper half of binary32; the 8-bit formats of https://arxiv.org/abs/2209.05433 */
export const FLOAT_FORMATS = {
  F16: { exponentBits: 5, mantissaBits: 10 },
  BF16: { exponentBits: 8, mantissaBits: 7 },
  F8_E5M2: { exponentBits: 5, mantissaBits: 2 },
  F8_E4M3: { exponentBits: 4, mantissaBits: 3, finiteOnly: true },
} as const satisfies Record<string, FloatFormat>;

/** The number that a pattern stands for, as the definition of binary interchange formats says. */
export function floatValue(format: FloatFormat, bits: number): number {
  const { exponentBits, mantissaBits, finiteOnly = false } = format;
  const sign = Math.floor(bits / 2 ** (exponentBits + mantissaBits)) % 2 === 1 ? -1 : 1;
  const exponent = Math.floor(bits / 2 ** mantissaBits) % 2 ** exponentBits;
  const mantissa = bits % 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  const isTop = exponent === 2 ** exponentBits - 1;
  if (isTop && finiteOnly && mantissa === 2 ** mantissaBits - 1) return Number.NaN;
  if (isTop && !finiteOnly) return mantissa === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits);
  return sign * (2 ** mantissaBits + mantissa) * 2 ** (exponent - bias - mantissaBits);
}

/** Views that encode numbers of dtypes that JavaScript has. */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  C64: Float32Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  U16: Uint16Array,
  U32: Uint32Array,
  BOOL: Uint8Array,
} as const satisfies Partial<Record<ScanDType, unknown>>;

/** Little-endian bytes of numbers. */
export function encode(dtype: keyof typeof ARRAYS, numbers: Iterable<number>): Uint8Array {
  return new Uint8Array(ARRAYS[dtype].from(numbers).buffer);
}

/** Little-endian bytes of 64-bit integers. */
export function encodeLongs(dtype: "I64" | "U64", numbers: Iterable<bigint>): Uint8Array {
  return new Uint8Array((dtype === "I64" ? BigInt64Array : BigUint64Array).from([...numbers]).buffer);
}
