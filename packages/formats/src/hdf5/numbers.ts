import type { Bytes } from "@ckptkit/core";
import type { Numbers } from "./datatype.js";

/** Bits of the exponent and of the fraction of the real numbers that JavaScript has no view of. */
const SMALL_REALS: Readonly<Record<string, readonly [exponentBits: number, fractionBits: number]>> = {
  F16: [5, 10],
  BF16: [8, 7],
  F8_E5M2: [5, 2],
  F8_E4M3: [4, 3],
};

/** The number of a type that stands at the beginning of some bytes: exact, a bigint beyond 2^53 - 1. */
export function numberAt({ dtype, size, bigEndian }: Numbers, bytes: Bytes): number | bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = !bigEndian;
  if (dtype === "F32") return view.getFloat32(0, little);
  if (dtype === "F64") return view.getFloat64(0, little);
  const form = SMALL_REALS[dtype];
  if (form) return realOf(size === 1 ? view.getUint8(0) : view.getUint16(0, little), ...form);
  const isSigned = dtype.startsWith("I");
  switch (size) {
    case 1:
      return isSigned ? view.getInt8(0) : view.getUint8(0);
    case 2:
      return isSigned ? view.getInt16(0, little) : view.getUint16(0, little);
    case 4:
      return isSigned ? view.getInt32(0, little) : view.getUint32(0, little);
    default: {
      const value = isSigned ? view.getBigInt64(0, little) : view.getBigUint64(0, little);
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
  }
}

/** A real number of at most 16 bits. E4M3 has no infinities: its largest exponent holds numbers, and NaN where all bits are set. */
function realOf(bits: number, exponentBits: number, fractionBits: number): number {
  const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits;
  const exponent = Math.floor(bits / 2 ** fractionBits) % 2 ** exponentBits;
  const sign = bits >= 2 ** (exponentBits + fractionBits) ? -1 : 1;
  const most = 2 ** exponentBits - 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === most && exponentBits !== 4) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === most && fraction === 7 / 8) return Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}
