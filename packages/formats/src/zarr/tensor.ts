import { countElements, Storage, type TensorSpec } from "@ckptkit/core";
import { gridSource } from "../chunks/grid-source.js";
import { ChunkGrid } from "../hdf5/chunk-grid.js";
import type { ZarrArray } from "./array.js";
import { type ArrayContext, ChunkReader } from "./chunk-reader.js";
import { FillBudget } from "./fill-budget.js";

/**
 * An array as a tensor, whose chunks are read when it is.
 *
 * @param prefix the array's own key, with "/" at its end; "" at the root
 * @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS
 */
export function arrayTensor(array: ZarrArray, prefix: string, name: string, context: ArrayContext): TensorSpec {
  const { shape, chunkShape, dtype, bits, bigEndian, fill } = array;
  const grid = new ChunkGrid(shape, shape, chunkShape);
  const reader = new ChunkReader(array, grid, prefix, context);
  const itemBytes = bits / 8;
  const byteLength = countElements(shape) * itemBytes;
  const budget = new FillBudget(name, context.limits);
  const chunkBytes = countElements(chunkShape) * itemBytes;
  const bytes = gridSource({
    name,
    byteLength,
    itemBytes,
    grid,
    fill,
    chunks: async (signal) => async (number) => {
      const read = await reader.reader(number, { signal });
      budget.note(number, read ? 0 : chunkBytes);
      return read;
    },
  });
  const storage = new Storage({ id: name === "" ? prefix : name, bytes, bigEndian });
  return { dtype, bits, shape, storage, byteOffset: 0 };
}
