import type { ByteSource, Bytes } from "@ckptkit/core";
import { ChunkRuns } from "../dcp/geometry.js";
import type { ChunkGrid } from "../hdf5/chunk-grid.js";
import { madeSource, repeat } from "../hdf5/stored-sources.js";

/** Fills `target` with the bytes of a chunk from `start` on. The chunk is row-major and of the grid's full chunk shape. */
export type ReadChunk = (target: Bytes, start: number) => Promise<void>;

/** An array that is stored in chunks of one shape. */
export interface GridArray {
  readonly name: string;
  readonly byteLength: number;
  readonly itemBytes: number;
  readonly grid: ChunkGrid;
  /** What stands where no chunk was written; zeros when left out. */
  readonly fill: Bytes | undefined;
  /** Asked once a read: gives the way to the bytes of a chunk by its number, undefined for one that was not written. */
  chunks(signal?: AbortSignal): Promise<(number: number) => ReadChunk | undefined | Promise<ReadChunk | undefined>>;
}

/** Chunks that are read side by side. */
const AT_ONCE = 8;

/** The elements of an array that is stored in chunks, row-major: a read reads the chunks that it touches. */
export function gridSource({ name, byteLength, itemBytes, grid, fill, chunks }: GridArray): ByteSource {
  /** Copies what a chunk has of [start, start + target.length). */
  const copy = async (number: number, target: Bytes, start: number, read: ReadChunk | undefined): Promise<void> => {
    const offsets = grid.stepsOf(number).map((step, axis) => step * (grid.chunkShape[axis] ?? 1));
    const sizes = grid.chunkShape.map((size, axis) => Math.min(size, (grid.shape[axis] ?? 0) - (offsets[axis] ?? 0)));
    const runs = new ChunkRuns(grid.shape, { offsets, sizes }, itemBytes, grid.chunkShape);
    const end = start + target.length;
    const last = runs.firstFrom(end);
    for (let run = runs.firstAfter(start); run < last; run++) {
      const begin = runs.startOf(run);
      const first = Math.max(begin, start);
      const piece = target.subarray(first - start, Math.min(begin + runs.runBytes, end) - start);
      if (read) await read(piece, runs.innerStartOf(run) + first - begin);
      else repeat(piece, first, fill);
    }
  };
  return madeSource(name, byteLength, async (target, start, signal) => {
    if (target.length === 0) return;
    const chunkAt = await chunks(signal);
    let waiting: Promise<void>[] = [];
    for (const number of touched(grid, itemBytes, start, start + target.length)) {
      signal?.throwIfAborted();
      waiting.push(Promise.resolve(chunkAt(number)).then((read) => copy(number, target, start, read)));
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
