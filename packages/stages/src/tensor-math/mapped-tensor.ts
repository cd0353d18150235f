import { type CastDType, countElements, DTYPES, type SignalOptions, type TensorData } from "@ckptkit/core";
import { checkTensorRange } from "../tensors/tensor-range.js";
import { BLOCK_ELEMENTS, type CastKernel, type FloatTensor, type Numbers, precisionOf, readNumbers, writeNumbers } from "./numbers.js";

/**
 * Changes numbers in place.
 *
 * @param first the row-major place of the first of them in the tensor.
 */
export type ChangeNumbers = (numbers: Numbers, first: number, options?: SignalOptions) => void | Promise<void>;

/**
 * A tensor of the same shape, each of whose elements is computed from the element of another when it is read. Holds one block
 * at a time, whatever the size.
 *
 * @example const doubled = mappedTensor(weights, weights.dtype, kernels, (numbers) => numbers.forEach((x, i) => { numbers[i] = 2 * x; }));
 */
export function mappedTensor(base: FloatTensor, dtype: CastDType | "I8", kernels: CastKernel, change: ChangeNumbers): TensorData {
  const itemBytes = DTYPES[dtype].bits / 8;
  const precision = dtype === "F64" ? "F64" : "F32";
  // A float64 base is computed with in float64 as long as the result can hold it.
  const reading = precision === "F64" ? precisionOf(base.dtype) : "F32";
  const mapped: TensorData = {
    dtype,
    shape: base.shape,
    byteLength: countElements(base.shape) * itemBytes,
    async readInto(target, start = 0, options) {
      options?.signal?.throwIfAborted();
      checkTensorRange(mapped, target, start);
      const first = start / itemBytes;
      const count = target.length / itemBytes;
      for (let at = 0; at < count; at += BLOCK_ELEMENTS) {
        const take = Math.min(BLOCK_ELEMENTS, count - at);
        const numbers = await readNumbers(base, first + at, take, reading, kernels, options);
        await change(numbers, first + at, options);
        writeNumbers(numbers, reading, dtype, target.subarray(at * itemBytes, (at + take) * itemBytes), kernels);
      }
    },
  };
  return mapped;
}

/**
 * A small tensor of float32 values in memory.
 *
 * @example const scale = float32Tensor([1], [0.25]);
 */
export function float32Tensor(shape: readonly number[], values: Iterable<number>): TensorData {
  const numbers = Float32Array.from(values);
  const bytes = new Uint8Array(numbers.buffer);
  const tensor: TensorData = {
    dtype: "F32",
    shape,
    byteLength: bytes.length,
    async readInto(target, start = 0, options) {
      options?.signal?.throwIfAborted();
      checkTensorRange(tensor, target, start);
      target.set(bytes.subarray(start, start + target.length));
    },
  };
  return tensor;
}
