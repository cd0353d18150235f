import {
  type Bytes,
  CAST_DTYPES,
  type CastDType,
  countElements,
  DTYPES,
  type Kernels,
  type SignalOptions,
  type TensorData,
} from "@ckptkit/core";

/** Elements that are worked on at a time: 256 KiB of float32, which stays in a core's cache. */
export const BLOCK_ELEMENTS = 65_536;

/** Elements as numbers. F16, BF16 and F32 are exact in float32; F64 needs float64. */
export type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** In which numbers a computation is done. */
export type Precision = "F32" | "F64";

/** The kernel that turns elements into numbers and back. */
export type CastKernel = Pick<Kernels, "cast">;

/** Whether elements of a dtype can be computed with. */
export function isFloatDType(dtype: string): dtype is CastDType {
  return (CAST_DTYPES as readonly string[]).includes(dtype);
}

/** A tensor whose dtype is one of {@link CAST_DTYPES}. */
export type FloatTensor = TensorData & { readonly dtype: CastDType };

/** Whether the elements of a tensor can be computed with. */
export function isFloatTensor(tensor: TensorData): tensor is FloatTensor {
  return isFloatDType(tensor.dtype);
}

/** The numbers in which torch computes with a dtype on a CPU: float32, but float64 for F64. */
export const precisionOf = (dtype: CastDType): Precision => (dtype === "F64" ? "F64" : "F32");

/** The bytes of numbers, without a copy. Little-endian, as every engine that runs WebAssembly is. */
export const bytesOfNumbers = (numbers: Numbers): Bytes => new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** Numbers that are all 0. */
export const newNumbers = (precision: Precision, count: number): Numbers =>
  precision === "F64" ? new Float64Array(count) : new Float32Array(count);

/** Reads elements [first, first + count) as numbers of their own memory. Float64 is rounded where the precision is F32. */
export async function readNumbers(
  tensor: FloatTensor,
  first: number,
  count: number,
  precision: Precision,
  kernels: CastKernel,
  options?: SignalOptions,
): Promise<Numbers> {
  const numbers = newNumbers(precision, count);
  if (count === 0) return numbers;
  const itemBytes = DTYPES[tensor.dtype].bits / 8;
  if (tensor.dtype === precision) {
    await tensor.readInto(bytesOfNumbers(numbers), first * itemBytes, options);
    return numbers;
  }
  const bytes = new Uint8Array(count * itemBytes);
  await tensor.readInto(bytes, first * itemBytes, options);
  kernels.cast(tensor.dtype, precision, bytes, bytesOfNumbers(numbers));
  return numbers;
}

/** Reads a whole tensor block by block, in order. */
export async function eachBlock(
  tensor: FloatTensor,
  precision: Precision,
  kernels: CastKernel,
  work: (numbers: Numbers, first: number) => void,
  options?: SignalOptions,
): Promise<void> {
  const count = countElements(tensor.shape);
  for (let first = 0; first < count; first += BLOCK_ELEMENTS) {
    options?.signal?.throwIfAborted();
    work(await readNumbers(tensor, first, Math.min(BLOCK_ELEMENTS, count - first), precision, kernels, options), first);
  }
}

/** Makes numbers elements of a dtype, rounding to nearest even. I8 takes integers within [-128, 127]. */
export function writeNumbers(numbers: Numbers, precision: Precision, dtype: CastDType | "I8", target: Bytes, kernels: CastKernel): void {
  if (dtype === "I8") new Int8Array(target.buffer, target.byteOffset, target.length).set(numbers);
  else if (dtype === precision) target.set(bytesOfNumbers(numbers));
  else kernels.cast(precision, dtype, bytesOfNumbers(numbers), target);
}
