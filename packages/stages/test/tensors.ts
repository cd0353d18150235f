import { countElements, DTYPES, isDType, type TensorData } from "@ckptkit/core";
import { checkTensorRange } from "../src/tensors/tensor-range.js";

/** Typed arrays of the dtypes that tests write values in. */
const ARRAYS = { F32: Float32Array, F64: Float64Array, U8: Uint8Array, I32: Int32Array } as const;

/** A tensor in memory, whose elements are a function of their number. */
export function tensorOf(dtype: keyof typeof ARRAYS, shape: readonly number[], value: (index: number) => number): TensorData {
  const values = new ARRAYS[dtype](Array.from({ length: countElements(shape) }, (_, index) => value(index)));
  const bytes = new Uint8Array(values.buffer);
  const tensor: TensorData = {
    dtype,
    shape,
    byteLength: bytes.length,
    async readInto(target, start = 0) {
      checkTensorRange(tensor, target, start);
      target.set(bytes.subarray(start, start + target.length));
    },
  };
  return tensor;
}

/** All bytes of a tensor. */
export async function bytesOfTensor(tensor: TensorData | undefined): Promise<Uint8Array<ArrayBuffer>> {
  if (!tensor) throw new Error("Expected a tensor, found none.");
  const bytes = new Uint8Array(tensor.byteLength);
  await tensor.readInto(bytes);
  return bytes;
}

/** The elements of an F32 tensor. */
export async function floats(tensor: TensorData | undefined): Promise<number[]> {
  if (tensor && (!isDType(tensor.dtype) || DTYPES[tensor.dtype].bits !== 32)) throw new Error(`Expected F32, found ${tensor.dtype}.`);
  return [...new Float32Array((await bytesOfTensor(tensor)).buffer)];
}
