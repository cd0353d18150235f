import type { CastDType, ScanDType } from "@ckptkit/core";

/** Dtypes of more than one byte whose every element is exactly one float64. C64 counts as twice as many F32. */
export type NumberDType = CastDType | Extract<ScanDType, "C64" | "I32" | "U32" | "I16" | "U16">;

/** Decodes as many little-endian elements as `out` holds, from `offset` on. */
export type Decode = (view: DataView, offset: number, out: Float64Array) => void;

let halves: Float64Array | undefined;

/** The values of all float16 patterns: IEEE 754-2019, table 3.5, binary16. */
function halfValues(): Float64Array {
  return Float64Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits < 0x8000 ? 1 : -1;
    const exponent = (bits >> 10) & 31;
    const mantissa = bits & 1023;
    if (exponent === 0) return sign * mantissa * 2 ** -24;
    if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
    return sign * (1024 + mantissa) * 2 ** (exponent - 25);
  });
}

const float32: Decode = (view, offset, out) => {
  for (let i = 0; i < out.length; i++) out[i] = view.getFloat32(offset + 4 * i, true);
};

/** A bfloat16 is the upper half of a float32. */
const brain: Decode = (view, offset, out) => {
  const word = new Uint32Array(1);
  const value = new Float32Array(word.buffer);
  for (let i = 0; i < out.length; i++) {
    word[0] = view.getUint16(offset + 2 * i, true) << 16;
    out[i] = value[0] ?? 0;
  }
};

/** How elements become numbers, by dtype. */
export const DECODERS: Readonly<Record<NumberDType, Decode>> = {
  F64: (view, offset, out) => {
    for (let i = 0; i < out.length; i++) out[i] = view.getFloat64(offset + 8 * i, true);
  },
  F32: float32,
  C64: float32,
  F16: (view, offset, out) => {
    halves ??= halfValues();
    for (let i = 0; i < out.length; i++) out[i] = halves[view.getUint16(offset + 2 * i, true)] ?? 0;
  },
  BF16: brain,
  I32: (view, offset, out) => {
    for (let i = 0; i < out.length; i++) out[i] = view.getInt32(offset + 4 * i, true);
  },
  U32: (view, offset, out) => {
    for (let i = 0; i < out.length; i++) out[i] = view.getUint32(offset + 4 * i, true);
  },
  I16: (view, offset, out) => {
    for (let i = 0; i < out.length; i++) out[i] = view.getInt16(offset + 2 * i, true);
  },
  U16: (view, offset, out) => {
    for (let i = 0; i < out.length; i++) out[i] = view.getUint16(offset + 2 * i, true);
  },
};

/** Bytes of one number. */
export const NUMBER_BYTES: Readonly<Record<NumberDType, number>> = {
  F64: 8,
  F32: 4,
  C64: 4,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  I16: 2,
  U16: 2,
};
