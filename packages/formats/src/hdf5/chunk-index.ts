import { checkLimit, type Reading } from "@ckptkit/core";
import { readBtreeV1 } from "./btree-v1.js";
import { readBtreeV2 } from "./btree-v2.js";
import { readExtensibleArray, readFixedArray } from "./chunk-arrays.js";
import type { ChunkGrid, ChunkRecord } from "./chunk-grid.js";
import { hdf5Error } from "./errors.js";
import type { Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";
import type { ChunkIndex } from "./layout.js";

/**
 * Reads where all chunks of a dataset are: a map of their numbers in the grid. Chunks that were never written are not in it.
 *
 * @param chunkBytes bytes of one chunk without filters.
 * @throws {CheckpointLoadError} HDF5_CORRUPT, LIMIT_EXCEEDED
 */
export function* readChunkIndex(
  file: Hdf5File,
  index: ChunkIndex,
  grid: ChunkGrid,
  chunkBytes: number,
  isFiltered: boolean,
): Reading<Map<number, ChunkRecord>> {
  const { address } = index;
  const records = new Map<number, ChunkRecord>();
  if (address === undefined) return records;
  checkLimit(file.limits, "metadataValues", grid.count, `Chunks of a dataset of ${file.name}`);
  const { numberAt, placeAt, span } = grid.placesOf();
  const keep = (number: number | undefined, record: ChunkRecord): void => {
    if (number !== undefined) records.set(number, record);
  };
  const found = (place: number, record: ChunkRecord): void => keep(numberAt(place), record);
  switch (index.kind) {
    case "single":
      keep(0, { address, storedBytes: index.storedBytes, mask: index.mask });
      break;
    case "implicit":
      for (let number = 0; number < grid.count; number++)
        keep(number, { address: address + placeAt(number) * chunkBytes, storedBytes: undefined, mask: 0 });
      break;
    case "fixed-array":
      yield* readFixedArray(file, address, span, found);
      break;
    case "extensible-array":
      yield* readExtensibleArray(file, address, span, found);
      break;
    case "btree-v1": {
      const leaf = (key: Fields, child: number): void => {
        const storedBytes = key.u32();
        const mask = key.u32();
        const steps = grid.chunkShape.map((size) => Math.floor(key.u64() / size));
        keep(grid.numberOf(steps), { address: child, storedBytes, mask });
      };
      yield* readBtreeV1(file, address, { type: 1, keyBytes: 8 + 8 * (grid.shape.length + 1), leaf });
      break;
    }
    case "btree-v2": {
      const axes = grid.shape.length;
      const parse = (record: Fields): void => {
        const child = record.address();
        const rest = record.left;
        const storedBytes = isFiltered ? record.uint(rest - 4 - 8 * axes) : undefined;
        const mask = isFiltered ? record.u32() : 0;
        const steps = Array.from({ length: axes }, () => record.u64());
        if (child !== undefined) keep(grid.numberOf(steps), { address: child, storedBytes, mask });
      };
      yield* readBtreeV2(file, address, isFiltered ? 11 : 10, parse);
      break;
    }
  }
  const stored = [...records.values()].reduce((sum, { storedBytes }) => sum + (storedBytes ?? chunkBytes), 0);
  if (stored > file.source.size)
    throw hdf5Error(file.name, `chunks of a dataset should have ${stored} bytes in all, where the file has ${file.source.size}`);
  return records;
}
