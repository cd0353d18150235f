import type { Bytes, Kernels, OperationOptions, TensorHandle } from "@ckptkit/core";
import { tieKeys } from "./tie-key.js";

/** Bytes that pass through kernel memory at a time. */
export const PIECE_BYTES = 4 * 1024 * 1024;

/** A consumer of one tensor's bytes. */
export interface TensorWork<T> {
  update(bytes: Bytes): void;
  result(): T;
  free(): void;
}

/**
 * Reads the bytes of tensors through kernel memory, in file order, each view of the same bytes once, and gives the results
 * in the order of the tensors.
 *
 * @param start begins the work on one tensor.
 */
export async function eachTensor<T>(
  phase: string,
  tensors: readonly TensorHandle[],
  kernels: Kernels,
  start: (tensor: TensorHandle) => TensorWork<T>,
  options: OperationOptions,
): Promise<T[]> {
  const keyOf = tieKeys();
  const groups = new Map<string, TensorHandle>();
  const keys = tensors.map((tensor) => {
    const key = keyOf(tensor.spec);
    if (!groups.has(key)) groups.set(key, tensor);
    return key;
  });
  const ordered = [...groups].sort(
    ([, a], [, b]) => (a.storage?.fileOffset ?? 0) - (b.storage?.fileOffset ?? 0) || a.spec.byteOffset - b.spec.byteOffset,
  );
  const total = ordered.reduce((sum, [, tensor]) => sum + tensor.byteLength, 0);
  const results = new Map<string, T>();
  const buffer = kernels.allocate(PIECE_BYTES);
  let done = 0;
  try {
    for (const [key, tensor] of ordered) {
      const work = start(tensor);
      try {
        for await (const bytes of tensor.chunks(buffer.bytes, options)) {
          work.update(bytes);
          done += bytes.length;
          options.onProgress?.({ phase, done, total, item: tensor.path });
        }
        results.set(key, work.result());
      } finally {
        work.free();
      }
    }
  } finally {
    buffer.free();
  }
  return keys.map((key) => results.get(key) as T); // every key has been worked on
}
