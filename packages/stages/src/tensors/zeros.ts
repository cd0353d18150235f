import type { TensorData } from "@ckptkit/core";
import { bytesOf, checkTensorRange } from "./tensor-range.js";

/**
 * A tensor of zero bytes, which takes no memory. Zero bytes are the number 0 in every dtype but F8_E8M0, where they are 2^-127.
 *
 * @param byteLength needed for dtypes whose element size is not known.
 * @throws {CheckpointError} UNSUPPORTED_DTYPE
 * @example const bias = zerosTensor("F32", [64]);
 */
export function zerosTensor(dtype: string, shape: readonly number[], byteLength = bytesOf(dtype, shape)): TensorData {
  const tensor: TensorData = {
    dtype,
    shape,
    byteLength,
    async readInto(target, start = 0, options) {
      options?.signal?.throwIfAborted();
      checkTensorRange(tensor, target, start);
      target.fill(0);
    },
  };
  return tensor;
}
