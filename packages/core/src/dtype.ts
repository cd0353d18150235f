import { CheckpointError } from "./errors.js";

/** How the bits of one element are to be understood. */
export type DTypeKind = "float" | "int" | "uint" | "bool" | "complex" | "quantized";

/** One row of the dtype table. */
export interface DTypeInfo {
  /** Bits of one element. A sub-byte dtype packs its elements. */
  readonly bits: number;
  readonly kind: DTypeKind;
  /** Bytes that are swapped as one when the byte order differs: half an element for complex dtypes. */
  readonly swapBytes: number;
}

const row = (bits: number, kind: DTypeKind, swapBytes = Math.max(1, bits / 8)): DTypeInfo => ({ bits, kind, swapBytes });

/**
 * The dtypes known here, by their safetensors codes; torch's own quantised and packed dtypes follow the same style.
 *
 * @see https://github.com/huggingface/safetensors safetensors/src/tensor.rs, enum Dtype
 */
export const DTYPES = {
  BOOL: row(8, "bool"),
  F4: row(4, "float"),
  F6_E2M3: row(6, "float"),
  F6_E3M2: row(6, "float"),
  U8: row(8, "uint"),
  I8: row(8, "int"),
  F8_E5M2: row(8, "float"),
  F8_E4M3: row(8, "float"),
  F8_E5M2FNUZ: row(8, "float"),
  F8_E4M3FNUZ: row(8, "float"),
  F8_E8M0: row(8, "float"),
  I16: row(16, "int"),
  U16: row(16, "uint"),
  F16: row(16, "float"),
  BF16: row(16, "float"),
  I32: row(32, "int"),
  U32: row(32, "uint"),
  F32: row(32, "float"),
  I64: row(64, "int"),
  U64: row(64, "uint"),
  F64: row(64, "float"),
  C32: row(32, "complex", 2),
  C64: row(64, "complex", 4),
  C128: row(128, "complex", 8),
  QINT8: row(8, "quantized"),
  QUINT8: row(8, "quantized"),
  QINT32: row(32, "quantized"),
  /** 4-bit integers, two in a byte. */
  QUINT4X2: row(4, "quantized"),
  /** 2-bit integers, four in a byte. */
  QUINT2X4: row(2, "quantized"),
  /** Two F4 values in one byte; one element is one byte, as torch.float4_e2m1fn_x2 counts. */
  F4_X2: row(8, "float"),
} as const satisfies Record<string, DTypeInfo>;

/** A dtype code from {@link DTYPES}. */
export type DType = keyof typeof DTYPES;

/** Whether a string is a dtype code of {@link DTYPES}. */
export function isDType(code: string): code is DType {
  return Object.hasOwn(DTYPES, code);
}

/**
 * Bits of one element: from the table for its dtypes, else as the tensor's format says.
 *
 * @throws {CheckpointError} INTERNAL for a dtype of a format's own without its bits.
 */
export function bitsOf(spec: { readonly dtype: string; readonly bits?: number }): number {
  const bits = isDType(spec.dtype) ? DTYPES[spec.dtype].bits : spec.bits;
  if (bits === undefined) throw new CheckpointError("INTERNAL", `The size of ${spec.dtype} is not known.`);
  return bits;
}
