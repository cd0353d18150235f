import type { DType } from "@ckptkit/core";

/** torch's dtype names (torch.float32) and their codes. @see https://pytorch.org/docs/stable/tensor_attributes.html#torch-dtype */
export const DTYPE_OF_TORCH_NAME = /* @__PURE__ */ table(
  "float64=F64 double=F64 float32=F32 float=F32 float16=F16 half=F16 bfloat16=BF16 float8_e4m3fn=F8_E4M3 float8_e5m2=F8_E5M2 float8_e4m3fnuz=F8_E4M3FNUZ float8_e5m2fnuz=F8_E5M2FNUZ float8_e8m0fnu=F8_E8M0 float4_e2m1fn_x2=F4_X2 int64=I64 long=I64 int32=I32 int=I32 int16=I16 short=I16 int8=I8 uint8=U8 uint16=U16 uint32=U32 uint64=U64 bool=BOOL complex32=C32 chalf=C32 complex64=C64 cfloat=C64 complex128=C128 cdouble=C128 qint8=QINT8 quint8=QUINT8 qint32=QINT32 quint4x2=QUINT4X2 quint2x4=QUINT2X4",
);

/** Storage and tensor classes by the first part of their names: `torch.FloatStorage`, `torch.cuda.FloatTensor`. */
const DTYPE_OF_CLASS = /* @__PURE__ */ table(
  "Double=F64 Float=F32 Half=F16 BFloat16=BF16 Long=I64 Int=I32 Short=I16 Char=I8 Byte=U8 Bool=BOOL ComplexFloat=C64 ComplexDouble=C128 QInt8=QINT8 QUInt8=QUINT8 QInt32=QINT32 QUInt4x2=QUINT4X2 QUInt2x4=QUINT2X4",
);

/** A table as one string, which takes less room in bundles. */
function table(rows: string): ReadonlyMap<string, DType> {
  // The rows name dtypes only.
  return new Map(rows.split(" ").map((row) => row.split("=") as [string, DType]));
}

/** The class of a storage that is counted in bytes and has no dtype of its own. */
export const UNTYPED_STORAGE = "torch.storage.UntypedStorage";

/** The dtype of `torch.FloatStorage`, `torch.cuda.LongTensor` ...; undefined when the name is no such class. */
export function dtypeOfClass(name: string, suffix: "Storage" | "Tensor"): DType | undefined {
  if (!name.startsWith("torch.") || !name.endsWith(suffix)) return undefined;
  const stem = name.slice(name.lastIndexOf(".") + 1, -suffix.length);
  const folder = name.slice(0, -(stem.length + suffix.length));
  if (folder !== "torch." && folder !== "torch.cuda." && folder !== "torch.sparse.") return undefined;
  return DTYPE_OF_CLASS.get(stem);
}

/** The dtype that a global such as `torch.float32` names. */
export function dtypeOfGlobal(name: string): DType | undefined {
  return name.startsWith("torch.") ? DTYPE_OF_TORCH_NAME.get(name.slice("torch.".length)) : undefined;
}

/** The storage class under which torch saves a dtype; undefined for those that only UntypedStorage carries. */
export function storageClassOf(dtype: string): string | undefined {
  const entry = [...DTYPE_OF_CLASS].find(([, code]) => code === dtype);
  return entry && `${entry[0]}Storage`;
}

/** torch's name of a dtype code: `float32` for F32. */
export function torchNameOf(dtype: string): string | undefined {
  return [...DTYPE_OF_TORCH_NAME].find(([, code]) => code === dtype)?.[0];
}
