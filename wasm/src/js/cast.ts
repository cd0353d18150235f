import type { Bytes, CastDType } from "@ckptkit/core";
import { DECODERS, NUMBER_BYTES } from "./decode.js";

/** Elements that are decoded and encoded at a time. */
const PIECE = 1024;

/** The bits of a number as a float32, after rounding to it. */
function float32Bits(x: number): number {
  WORD.setFloat32(0, x);
  return WORD.getUint32(0);
}

/** Used within one call only. */
const WORD = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(4));

/** The integer nearest to value / 2^shift, ties to even, for an unsigned 32-bit value and 0 < shift < 32. */
function shiftRounded(value: number, shift: number): number {
  const whole = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && whole % 2 === 1) ? whole + 1 : whole;
}

/** Rounds a number to float32 and then to float16: its bits. */
export function toHalf(x: number): number {
  const bits = float32Bits(x);
  const sign = bits >>> 31 === 0 ? 0 : 0x8000;
  const exponent = ((bits >>> 23) & 255) - 127;
  const mantissa = bits & 0x7fffff;
  if (exponent === 128) return sign | (mantissa === 0 ? 0x7c00 : 0x7e00 | (mantissa >>> 13));
  if (exponent > 15) return sign | 0x7c00;
  // The leading one of the mantissa adds one to the exponent; a carry out of it, another one, up to infinity.
  if (exponent >= -14) return sign | (((exponent + 14) << 10) + shiftRounded(mantissa | 0x800000, 13));
  // A subnormal is a multiple of 2^-24; less than half of one is zero.
  return exponent < -25 ? sign : sign | shiftRounded(mantissa | 0x800000, -1 - exponent);
}

/** Rounds a number to float32 and then to bfloat16: its bits. */
export function toBrain(x: number): number {
  const bits = float32Bits(x);
  if (Number.isNaN(x)) return (bits >>> 16) | 0x40;
  return shiftRounded(bits, 16);
}

type Encode = (view: DataView, offset: number, x: number) => void;

const ENCODERS: Readonly<Record<CastDType, Encode>> = {
  F64: (view, offset, x) => view.setFloat64(offset, x, true),
  F32: (view, offset, x) => view.setFloat32(offset, x, true),
  F16: (view, offset, x) => view.setUint16(offset, toHalf(x), true),
  BF16: (view, offset, x) => view.setUint16(offset, toBrain(x), true),
};

/**
 * Casts all little-endian elements of `source` to the start of `target`. Float64 reaches the 16-bit formats through float32, as it
 * does in torch.
 */
export function castBytes(from: CastDType, to: CastDType, source: Bytes, target: Bytes): void {
  if (from === to) {
    target.set(source);
    return;
  }
  const decode = DECODERS[from];
  const encode = ENCODERS[to];
  const input = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const output = new DataView(target.buffer, target.byteOffset, target.byteLength);
  const numbers = new Float64Array(PIECE);
  const elements = source.byteLength / NUMBER_BYTES[from];
  for (let done = 0; done < elements; done += PIECE) {
    const part = numbers.subarray(0, Math.min(PIECE, elements - done));
    decode(input, done * NUMBER_BYTES[from], part);
    for (let i = 0; i < part.length; i++) encode(output, (done + i) * NUMBER_BYTES[to], part[i] ?? 0);
  }
}
