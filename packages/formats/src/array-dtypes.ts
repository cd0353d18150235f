import { DTYPES, type DType } from "@ckptkit/core";

/** What the elements of an array are, and how many bits each takes where it is stored. */
export interface ElementType {
  /** A code of {@link DTYPES}, or numpy's own name where there is none. */
  readonly dtype: string;
  readonly bits: number;
}

/** numpy's names of dtypes, and those that ml_dtypes adds to them. */
const DTYPE_OF_NAME: Readonly<Record<string, DType>> = {
  bool: "BOOL",
  int8: "I8",
  int16: "I16",
  int32: "I32",
  int64: "I64",
  uint8: "U8",
  uint16: "U16",
  uint32: "U32",
  uint64: "U64",
  float16: "F16",
  float32: "F32",
  float64: "F64",
  bfloat16: "BF16",
  complex64: "C64",
  complex128: "C128",
  float8_e4m3fn: "F8_E4M3",
  float8_e4m3fnuz: "F8_E4M3FNUZ",
  float8_e5m2: "F8_E5M2",
  float8_e5m2fnuz: "F8_E5M2FNUZ",
  float8_e8m0fnu: "F8_E8M0",
};

/** Types of ml_dtypes for which there is no code: each element is one byte, however few bits of it count. */
const ONE_BYTE_NAMES = new Set([
  "float8_e3m4",
  "float8_e4m3",
  "float8_e4m3b11fnuz",
  "float6_e2m3fn",
  "float6_e3m2fn",
  "float4_e2m1fn",
  "int4",
  "uint4",
  "int2",
  "uint2",
  "int1",
  "uint1",
]);

/**
 * The element type of a name that numpy or ml_dtypes gives; undefined for text, dates, records, objects and what is not known.
 *
 * @see https://github.com/jax-ml/ml_dtypes
 * @example elementOfName("bfloat16") // { dtype: "BF16", bits: 16 }
 */
export function elementOfName(name: string): ElementType | undefined {
  const dtype = Object.hasOwn(DTYPE_OF_NAME, name) ? DTYPE_OF_NAME[name] : undefined;
  if (dtype) return { dtype, bits: DTYPES[dtype].bits };
  return ONE_BYTE_NAMES.has(name) ? { dtype: name, bits: 8 } : undefined;
}
