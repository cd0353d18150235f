import type { BlockCoding } from "@ckptkit/core";

/** A type of tensor elements. */
export interface OnnxType {
  /** As ONNX names it. */
  readonly name: string;
  /** A dtype of core, or the same as `name` for those that it does not have. */
  readonly dtype: string;
  /** Bits of one element. */
  readonly bits: number;
  /** Number of the field that holds typed data, and the bytes of one entry there as a tensor has them. */
  readonly field: number;
  readonly entryBytes: number;
}

/** Fields of TensorProto that hold typed data. */
const FIELDS = { float: 4, int32: 5, int64: 7, double: 10, uint64: 11 } as const;

/**
 * Id, name, dtype, bits and field of typed data. Elements of less than a byte follow each other bit by bit, the first in the lowest bits; typed data has one
 * entry for each byte of them, and for floats of six bits one for each element. Complex numbers are two entries.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto enum TensorProto.DataType, and the comments of TensorProto
 */
const TABLE: readonly (readonly [id: number, name: string, dtype: string, bits: number, field: keyof typeof FIELDS])[] = [
  [1, "FLOAT", "F32", 32, "float"],
  [2, "UINT8", "U8", 8, "int32"],
  [3, "INT8", "I8", 8, "int32"],
  [4, "UINT16", "U16", 16, "int32"],
  [5, "INT16", "I16", 16, "int32"],
  [6, "INT32", "I32", 32, "int32"],
  [7, "INT64", "I64", 64, "int64"],
  [9, "BOOL", "BOOL", 8, "int32"],
  [10, "FLOAT16", "F16", 16, "int32"],
  [11, "DOUBLE", "F64", 64, "double"],
  [12, "UINT32", "U32", 32, "uint64"],
  [13, "UINT64", "U64", 64, "uint64"],
  [14, "COMPLEX64", "C64", 64, "float"],
  [15, "COMPLEX128", "C128", 128, "double"],
  [16, "BFLOAT16", "BF16", 16, "int32"],
  [17, "FLOAT8E4M3FN", "F8_E4M3", 8, "int32"],
  [18, "FLOAT8E4M3FNUZ", "F8_E4M3FNUZ", 8, "int32"],
  [19, "FLOAT8E5M2", "F8_E5M2", 8, "int32"],
  [20, "FLOAT8E5M2FNUZ", "F8_E5M2FNUZ", 8, "int32"],
  [21, "UINT4", "UINT4", 4, "int32"],
  [22, "INT4", "INT4", 4, "int32"],
  [23, "FLOAT4E2M1", "F4", 4, "int32"],
  [24, "FLOAT8E8M0", "F8_E8M0", 8, "int32"],
  [25, "UINT2", "UINT2", 2, "int32"],
  [26, "INT2", "INT2", 2, "int32"],
  [27, "FLOAT6E2M3", "F6_E2M3", 6, "int32"],
  [28, "FLOAT6E3M2", "F6_E3M2", 6, "int32"],
];

/** Every type of numbers, by its id. */
export const ONNX_TYPES: ReadonlyMap<number, OnnxType> = /* @__PURE__ */ new Map(
  TABLE.map(([id, name, dtype, bits, field]) => {
    const widest = field === "float" ? 4 : 8;
    return [id, { name, dtype, bits, field: FIELDS[field], entryBytes: Math.min(widest, Math.ceil(bits / 8)) }];
  }),
);

/** The type of text, which tensors here are not of. */
export const STRING_TYPE = 8;

/** How the name of a type is shown. */
export const typeName = (id: number): string => ONNX_TYPES.get(id)?.name ?? (id === STRING_TYPE ? "STRING" : `type ${id}`);

/** Numbers that the bits of an element stand for. */
type Decode = (code: number) => number;

/** Two's complement, or no sign. */
const integers = (bits: number, isSigned: boolean): Decode => {
  const values = 2 ** bits;
  return (code) => (isSigned && code >= values / 2 ? code - values : code);
};

/** A float of six bits without infinities and NaN. @see https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf section 5.3.2 */
const sixBitFloats = (mantissaBits: number, bias: number): Decode => {
  const steps = 2 ** mantissaBits;
  return (code) => {
    const exponent = Math.floor((code % 32) / steps);
    const fraction = (code % steps) / steps;
    const size = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
    return code >= 32 ? -size : size;
  };
};

const PACKED: Readonly<Record<string, Decode>> = {
  UINT4: integers(4, false),
  INT4: integers(4, true),
  UINT2: integers(2, false),
  INT2: integers(2, true),
  FLOAT6E2M3: sixBitFloats(3, 1),
  FLOAT6E3M2: sixBitFloats(2, 3),
};

/** How elements that core does not know become numbers: those that share bytes. Undefined for all others. */
export function packedCoding({ name, bits }: OnnxType): BlockCoding | undefined {
  const decode = Object.hasOwn(PACKED, name) ? PACKED[name] : undefined;
  if (!decode) return undefined;
  // As few elements as are whole bytes.
  const elements = bits === 6 ? 4 : 8 / bits;
  const bytes = (elements * bits) / 8;
  return {
    elements,
    bytes,
    decode(blocks, numbers) {
      for (let index = 0; index < numbers.length; index++) {
        const bit = bits * index;
        const first = Math.floor(bit / 8);
        const pair = (blocks[first] ?? 0) + 256 * (blocks[first + 1] ?? 0);
        numbers[index] = decode(Math.floor(pair / 2 ** (bit % 8)) % 2 ** bits);
      }
    },
  };
}
