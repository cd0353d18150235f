import { type ByteSource, type Bytes, checkLimit, finish, readInto, type SignalOptions } from "@ckptkit/core";
import type { ChunkCache } from "../chunks/chunk-cache.js";
import { gridSource } from "../chunks/grid-source.js";
import type { ChunkGrid, ChunkRecord } from "./chunk-grid.js";
import { readChunkIndex } from "./chunk-index.js";
import { hdf5Error } from "./errors.js";
import type { Hdf5File } from "./file.js";
import { type Filter, filtersOf, unfiltered } from "./filters.js";
import type { ChunkIndex } from "./layout.js";
import { checkExpansion } from "./stored-sources.js";

/** A dataset that is stored in chunks. */
export interface ChunkedDataset {
  readonly file: Hdf5File;
  readonly name: string;
  readonly grid: ChunkGrid;
  readonly index: ChunkIndex;
  readonly filters: readonly Filter[];
  readonly edgesUnfiltered: boolean;
  readonly itemBytes: number;
  readonly byteLength: number;
  /** What stands where no chunk was written. */
  readonly fill: Bytes | undefined;
  readonly cache: ChunkCache;
}

/** Chunks without filters that are larger are not read whole. */
const WHOLE_BYTES = 4 * 1024 * 1024;

/**
 * The elements of a chunked dataset, row-major. The index is read with the first bytes; then the chunks that a read touches, whole ones
 * where they are filtered.
 */
export function chunkedSource(dataset: ChunkedDataset): ByteSource {
  const { file, grid, itemBytes, byteLength, name, filters } = dataset;
  const chunkBytes = grid.chunkShape.reduce((product, size) => product * size, itemBytes);
  let records: ReadonlyMap<number, ChunkRecord> | undefined;

  const open = async (signal?: AbortSignal): Promise<ReadonlyMap<number, ChunkRecord>> => {
    if (records) return records;
    const isFiltered = filters.length > 0;
    // Callers that came at the same time have read the index each, with a signal of their own.
    const found = await finish(readChunkIndex(file.again({ signal }), dataset.index, grid, chunkBytes, isFiltered));
    const stored = [...found.values()].reduce((sum, { storedBytes }) => sum + (storedBytes ?? chunkBytes), 0);
    checkExpansion(name, byteLength, stored, file.limits);
    records ??= found;
    return records;
  };

  /** The bytes of a chunk from `start` on: of one without filters only these, else from the whole one. */
  const reader = (record: ChunkRecord, number: number, signal?: AbortSignal) => {
    const applied = dataset.edgesUnfiltered && isEdge(grid, number) ? [] : filtersOf(filters, record.mask);
    if (applied.length === 0 && chunkBytes > WHOLE_BYTES)
      return (target: Bytes, start: number) => readPart(file, record, target, start, name, { signal });
    let whole: Bytes | undefined;
    return async (target: Bytes, start: number): Promise<void> => {
      whole ??= dataset.cache.get(record.address, chunkBytes) ?? (await unpack(dataset, record, applied, chunkBytes, { signal }));
      target.set(whole.subarray(start, start + target.length));
    };
  };

  return gridSource({
    name,
    byteLength,
    itemBytes,
    grid,
    fill: dataset.fill,
    async chunks(signal) {
      const known = await open(signal);
      return (number) => {
        const record = known.get(number);
        return record && reader(record, number, signal);
      };
    },
  });
}

/** Whether a chunk reaches over the edge of its dataset. */
const isEdge = (grid: ChunkGrid, number: number): boolean =>
  grid.stepsOf(number).some((step, axis) => (step + 1) * (grid.chunkShape[axis] ?? 1) > (grid.shape[axis] ?? 0));

/** @throws {CheckpointLoadError} HDF5_CORRUPT when the chunk is not within the file */
async function readPart(
  file: Hdf5File,
  { address }: ChunkRecord,
  target: Bytes,
  start: number,
  name: string,
  options: SignalOptions,
): Promise<void> {
  const from = address + start;
  if (from + target.length > file.source.size) throw hdf5Error(file.name, `the chunk at ${address} of ${name} is not within the file`);
  await readInto(file.source, target, from, options);
}

async function unpack(
  dataset: ChunkedDataset,
  record: ChunkRecord,
  applied: readonly Filter[],
  chunkBytes: number,
  options: SignalOptions,
): Promise<Bytes> {
  const { file, name, itemBytes, cache } = dataset;
  const what = `the chunk at ${record.address} of ${name}`;
  checkLimit(file.limits, "inflatedBytes", chunkBytes, `Bytes of ${what}`);
  const stored = await finish(file.again(options).read(record.address, record.storedBytes ?? chunkBytes, what));
  const bytes = await unfiltered(stored, { what, file: file.name, filters: applied, chunkBytes, itemBytes, limits: file.limits }, options);
  cache.keep(record.address, bytes);
  return bytes;
}
