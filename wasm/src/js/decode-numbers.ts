import { type Bytes, CheckpointValidationError, DTYPES, type DType } from "@ckptkit/core";
import { type ByteElement, byteValue } from "./byte-values.js";
import { DECODERS, type Decode } from "./decode.js";

const bytewise = (dtype: ByteElement): Decode => {
  let values: Float64Array | undefined;
  return (view, offset, out) => {
    values ??= Float64Array.from({ length: 256 }, (_, byte) => byteValue(dtype, byte));
    for (let i = 0; i < out.length; i++) out[i] = values[view.getUint8(offset + i)] ?? 0;
  };
};

/** Elements of less than a byte, the first in the lowest bits. */
const packed = (bits: number, toNumber: (bits: number) => number): Decode => {
  const each = 8 / bits;
  return (view, offset, out) => {
    for (let i = 0; i < out.length; i++) {
      const byte = view.getUint8(offset + Math.floor(i / each));
      out[i] = toNumber((byte >> (bits * (i % each))) & (2 ** bits - 1));
    }
  };
};

/** @see https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf section 5.3.3, E2M1 */
const FLOAT4 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
const float4 = packed(4, (bits) => (bits < 8 ? (FLOAT4[bits] ?? 0) : -(FLOAT4[bits - 8] ?? 0)));
const integer = (bits: number): number => bits;

const ALL: Partial<Record<DType, Decode>> = {
  ...DECODERS,
  BOOL: bytewise("BOOL"),
  U8: bytewise("U8"),
  I8: bytewise("I8"),
  QINT8: bytewise("QINT8"),
  QUINT8: bytewise("QUINT8"),
  F8_E4M3: bytewise("F8_E4M3"),
  F8_E5M2: bytewise("F8_E5M2"),
  F8_E4M3FNUZ: bytewise("F8_E4M3FNUZ"),
  F8_E5M2FNUZ: bytewise("F8_E5M2FNUZ"),
  F8_E8M0: bytewise("F8_E8M0"),
  QINT32: DECODERS.I32,
  C32: DECODERS.F16,
  C128: DECODERS.F64,
  I64: (view, offset, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(view.getBigInt64(offset + 8 * i, true));
  },
  U64: (view, offset, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(view.getBigUint64(offset + 8 * i, true));
  },
  F4: float4,
  F4_X2: float4,
  QUINT4X2: packed(4, integer),
  QUINT2X4: packed(2, integer),
};

/** Bits of one number: half of an element for complex dtypes and for pairs. */
const numberBits = (dtype: DType): number => DTYPES[dtype].bits / numbersPerElement(dtype);

/** Numbers that one element is: real and imaginary part of a complex dtype, both values of a pair; else one. */
export function numbersPerElement(dtype: string): 1 | 2 {
  return dtype === "C32" || dtype === "C64" || dtype === "C128" || dtype === "F4_X2" ? 2 : 1;
}

/** Whether elements of a dtype can be turned into numbers. F6 cannot: how its elements are packed is laid down nowhere. */
export function canDecode(dtype: string): dtype is DType {
  return Object.hasOwn(ALL, dtype);
}

/**
 * Decodes little-endian elements to numbers, as many as `out` holds: integers beyond 2^53 are rounded, quantised elements are the
 * integers that are stored, BOOL is 0 or 1. Complex elements are two numbers each.
 *
 * @param bytes begins at an element of whole bytes
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE
 * @example decodeNumbers("BF16", new Uint8Array([0x80, 0x3f]), new Float64Array(1)); // [1]
 */
export function decodeNumbers(dtype: string, bytes: Bytes, out: Float64Array): Float64Array {
  const decode = canDecode(dtype) ? ALL[dtype] : undefined;
  if (!decode) {
    throw new CheckpointValidationError("UNSUPPORTED_DTYPE", `Elements of ${dtype} cannot be turned into numbers here.`, {
      details: { dtype },
    });
  }
  decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, out);
  return out;
}

/** How many numbers some bytes of whole elements are. */
export function countNumbers(dtype: DType, byteLength: number): number {
  return Math.floor((byteLength * 8) / numberBits(dtype));
}
