import { type ByteSource, type Bytes, checkLimit, finish, readInto, type SignalOptions } from "@ckptkit/core";
import { ChunkRuns } from "../dcp/geometry.js";
import type { ChunkCache } from "./chunk-cache.js";
import type { ChunkGrid, ChunkRecord } from "./chunk-grid.js";
import { readChunkIndex } from "./chunk-index.js";
import { hdf5Error } from "./errors.js";
import type { Hdf5File } from "./file.js";
import { type Filter, filtersOf, unfiltered } from "./filters.js";
import type { ChunkIndex } from "./layout.js";
import { checkExpansion, madeSource, repeat } from "./stored-sources.js";

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

/** Chunks that are read side by side. */
const AT_ONCE = 8;
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

  /** Copies what a chunk has of [start, start + target.length). */
  const copy = async (
    number: number,
    target: Bytes,
    start: number,
    known: ReadonlyMap<number, ChunkRecord>,
    signal?: AbortSignal,
  ): Promise<void> => {
    const offsets = grid.stepsOf(number).map((step, axis) => step * (grid.chunkShape[axis] ?? 1));
    const sizes = grid.chunkShape.map((size, axis) => Math.min(size, (grid.shape[axis] ?? 0) - (offsets[axis] ?? 0)));
    const runs = new ChunkRuns(grid.shape, { offsets, sizes }, itemBytes, grid.chunkShape);
    const record = known.get(number);
    const read = record && reader(record, number, signal);
    const end = start + target.length;
    const last = runs.firstFrom(end);
    for (let run = runs.firstAfter(start); run < last; run++) {
      const begin = runs.startOf(run);
      const first = Math.max(begin, start);
      const piece = target.subarray(first - start, Math.min(begin + runs.runBytes, end) - start);
      if (read) await read(piece, runs.innerStartOf(run) + first - begin);
      else repeat(piece, first, dataset.fill);
    }
  };

  return madeSource(name, byteLength, async (target, start, signal) => {
    if (target.length === 0) return;
    const known = await open(signal);
    let waiting: Promise<void>[] = [];
    for (const number of touched(grid, itemBytes, start, start + target.length)) {
      signal?.throwIfAborted();
      waiting.push(copy(number, target, start, known, signal));
      if (waiting.length < AT_ONCE) continue;
      await all(waiting);
      waiting = [];
    }
    await all(waiting);
  });
}

/** Waits for every one, so that none writes into the target after an error was thrown. */
async function all(waiting: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(waiting)).find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
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

/** The numbers of the chunks that hold bytes of [start, end), in their order. */
function* touched(grid: ChunkGrid, itemBytes: number, start: number, end: number): Generator<number> {
  const { shape, chunkShape, counts } = grid;
  const from = placeOf(shape, Math.floor(start / itemBytes));
  const to = placeOf(shape, Math.ceil(end / itemBytes) - 1);
  // On the axes before the first that differs there is one step; behind it, every chunk is touched.
  const split = from.findIndex((place, axis) => place !== to[axis]);
  const ranges = counts.map((count, axis): readonly [number, number] => {
    const step = (place: number | undefined): number => Math.floor((place ?? 0) / (chunkShape[axis] ?? 1));
    return split >= 0 && axis > split ? [0, count - 1] : [step(from[axis]), step(to[axis])];
  });
  const steps = ranges.map(([first]) => first);
  for (;;) {
    const number = grid.numberOf(steps);
    if (number !== undefined) yield number;
    let axis = steps.length - 1;
    while (axis >= 0 && steps[axis] === ranges[axis]?.[1]) {
      steps[axis] = ranges[axis]?.[0] ?? 0;
      axis--;
    }
    if (axis < 0) return;
    steps[axis] = (steps[axis] ?? 0) + 1;
  }
}

/** The steps along the axes of an element by its number. */
function placeOf(shape: readonly number[], element: number): number[] {
  const place = new Array<number>(shape.length);
  for (let axis = shape.length - 1, rest = element; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    place[axis] = rest % size;
    rest = Math.floor(rest / size);
  }
  return place;
}
