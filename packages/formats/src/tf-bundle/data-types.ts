/** A type of tensor elements. */
export interface TfType {
  /** As TensorFlow names it. */
  readonly name: string;
  /** A dtype of core, or TensorFlow's own name; undefined for what is no number. */
  readonly dtype: string | undefined;
  /** Bits of one element as it is stored. */
  readonly bits: number;
}

/**
 * Integers of two and four bits are stored in a byte each.
 *
 * @see https://github.com/tensorflow/tensorflow tensorflow/core/framework/types.proto
 */
const TABLE =
  "1 float F32 32;2 double F64 64;3 int32 I32 32;4 uint8 U8 8;5 int16 I16 16;6 int8 I8 8;7 string - 0;8 complex64 C64 64;9 int64 I64 64;10 bool BOOL 8;" +
  "11 qint8 QINT8 8;12 quint8 QUINT8 8;13 qint32 QINT32 32;14 bfloat16 BF16 16;15 qint16 TF_QINT16 16;16 quint16 TF_QUINT16 16;17 uint16 U16 16;" +
  "18 complex128 C128 128;19 half F16 16;20 resource - 0;21 variant - 0;22 uint32 U32 32;23 uint64 U64 64;24 float8_e5m2 F8_E5M2 8;" +
  "25 float8_e4m3fn F8_E4M3 8;26 float8_e4m3fnuz F8_E4M3FNUZ 8;27 float8_e4m3b11fnuz TF_FLOAT8_E4M3B11FNUZ 8;28 float8_e5m2fnuz F8_E5M2FNUZ 8;" +
  "29 int4 TF_INT4 8;30 uint4 TF_UINT4 8;31 int2 TF_INT2 8;32 uint2 TF_UINT2 8";

/** Every type, by its id. */
export const TF_TYPES: ReadonlyMap<number, TfType> = /* @__PURE__ */ readTable();

function readTable(): Map<number, TfType> {
  return new Map(
    TABLE.split(";").map((row): [number, TfType] => {
      const [id, name = "", dtype, bits] = row.split(" ");
      return [Number(id), { name, dtype: dtype === "-" ? undefined : dtype, bits: Number(bits) }];
    }),
  );
}

/** The type of text. */
export const STRING_TYPE = 7;

/** How the name of a type is shown. */
export const typeName = (id: number): string => TF_TYPES.get(id)?.name ?? `type ${id}`;
