import type { TensorHandle } from "@ckptkit/core";
import { ElementReader } from "./element-reader.js";
import { blockStart, SliceBlocks } from "./slice-blocks.js";
import { type Plane, type PlaneAxis, planeOf, type SliceOptions, type SliceReduce } from "./slice-plan.js";

/** A plane of a tensor, made small enough to be looked at. */
export interface TensorSlice {
  path: string;
  dtype: string;
  shape: readonly number[];
  /** Null when the tensor has no such axis. */
  rowAxis: number | null;
  columnAxis: number | null;
  /** The place on every other axis. */
  fixed: readonly number[];
  /** [from, to) that the slice shows. */
  rowRange: readonly [number, number];
  columnRange: readonly [number, number];
  /** Size of the result; each of its numbers stands for a block of elements. */
  rows: number;
  columns: number;
  /** By rows. Magnitudes for complex dtypes; real numbers for quantised ones. */
  values: Float32Array;
  reduce: SliceReduce;
  /** Elements that were looked at; NaN and infinities among them; the smallest and largest finite one, null when there is none. */
  elements: number;
  nan: number;
  posInf: number;
  negInf: number;
  min: number | null;
  max: number | null;
  /** Whether elements were passed over: always so for `nearest` when blocks are larger than one element. */
  sampled: boolean;
  /** Bytes of the file that were read. */
  bytesRead: number;
}

const USUAL_BYTES = 16 * 1024 * 1024;
/** Elements between neighbours in the storage up to which reading all between them is worth it. */
const NEAR = 32;
/** Lines that are kept however long they are, before single elements are read instead. */
const FEWEST_LINES = 8;
/** Reads of single elements, at the most. */
const MOST_POINTS = 512;
/** Reads that are under way at a time: what hides the latency of a server. */
const PARALLEL = 16;
const BATCH_BYTES = 1024 * 1024;

/** The lines to read, each for a block of the result. */
interface Reading {
  readonly lines: readonly { readonly block: number; readonly from: number; readonly count: number }[];
  readonly blocks: number;
  /** Places along each line: all, or the first of windows. */
  readonly places: number;
  /** Elements read of each block of a line; undefined for whole lines. */
  readonly window: number | undefined;
}

/**
 * Reads a plane of a tensor for a heat map, in a bounded number of bytes however large the tensor is: blocks of elements become
 * one number each.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE
 * @throws {CheckpointLoadError} NO_TENSORS when the tensor has no bytes in the file
 * @example
 * const { rows, columns, values, bytesRead } = await readSlice(tensor, { maxRows: 64, maxColumns: 64, reduce: "max-abs" });
 */
export async function readSlice(tensor: TensorHandle, options: SliceOptions = {}): Promise<TensorSlice> {
  const plane = planeOf(tensor, options);
  const reader = await ElementReader.open(tensor, options);
  const reduce = options.reduce ?? "nearest";
  // Lines run along the axis whose elements are near to each other in the file.
  const transpose = plane.row.size > 1 && (plane.column.size < 2 || plane.column.storageStep > plane.row.storageStep);
  const [across, along] = transpose ? [plane.column, plane.row] : [plane.row, plane.column];
  const reading = planReading(across, along, reader.bits / 8, reduce, options.maxBytes ?? USUAL_BYTES);
  const blocks = new SliceBlocks(reading.blocks, reading.places, reduce);
  for (let at = 0; at < reading.lines.length; at += PARALLEL) {
    options.signal?.throwIfAborted();
    // Numbers are added in their own order, whichever arrive first, so that sums are the same each time.
    for (const add of await Promise.all(reading.lines.slice(at, at + PARALLEL).map(readLines))) add();
  }
  const { count, nan, posInf, negInf, min, max } = blocks.seen;
  const range = ({ from, size }: PlaneAxis): readonly [number, number] => [from, from + size];
  return {
    path: tensor.path,
    dtype: tensor.dtype,
    shape: tensor.shape,
    rowAxis: plane.row.axis ?? null,
    columnAxis: plane.column.axis ?? null,
    fixed: plane.fixed,
    rowRange: range(plane.row),
    columnRange: range(plane.column),
    rows: transpose ? reading.places : reading.blocks,
    columns: transpose ? reading.blocks : reading.places,
    values: blocks.finish(transpose),
    reduce,
    elements: count,
    nan,
    posInf,
    negInf,
    min: Number.isFinite(min) ? min : null,
    max: Number.isFinite(max) ? max : null,
    sampled: count < plane.row.size * plane.column.size,
    bytesRead: reader.bytesRead,
  };

  async function readLines({ block, from, count: lines }: Reading["lines"][number]): Promise<() => void> {
    const { places, window } = reading;
    if (window === undefined) {
      const numbers = await reader.grid(gridOf(plane, across, along, from, lines, 0, along.size), options);
      return () => {
        for (let line = 0; line < lines; line++) addLine(numbers.subarray(line * along.size * reader.width), block);
      };
    }
    const parts: Float64Array[] = [];
    for (let place = 0; place < places; place++) {
      const start = blockStart(place, places, along.size);
      const size = blockStart(place + 1, places, along.size) - start;
      const taken = Math.min(window, size);
      parts.push(await reader.grid(gridOf(plane, across, along, from, 1, start + Math.floor((size - taken) / 2), taken), options));
    }
    return () => {
      for (const [place, numbers] of parts.entries()) {
        for (let i = 0; i < numbers.length / reader.width; i++) blocks.add(block, place, numberAt(numbers, i));
      }
    };
  }

  function addLine(numbers: Float64Array, block: number): void {
    const { places } = reading;
    for (let place = 0; place < places; place++) {
      const start = blockStart(place, places, along.size);
      const end = blockStart(place + 1, places, along.size);
      if (reduce === "nearest") blocks.add(block, place, numberAt(numbers, Math.floor((start + end) / 2)));
      else for (let i = start; i < end; i++) blocks.add(block, place, numberAt(numbers, i));
    }
  }

  function numberAt(numbers: Float64Array, index: number): number {
    if (reader.width === 1) return numbers[index] ?? 0;
    return Math.hypot(numbers[2 * index] ?? 0, numbers[2 * index + 1] ?? 0);
  }
}

function gridOf(plane: Plane, across: PlaneAxis, along: PlaneAxis, line: number, lines: number, start: number, count: number) {
  return {
    first: plane.first + line * across.step + start * along.step,
    lineStep: across.step,
    step: along.step,
    storageFirst: plane.storageFirst + line * across.storageStep + start * along.storageStep,
    storageLineStep: across.storageStep,
    storageStep: along.storageStep,
    lines,
    count,
  };
}

/** Decides what to read: all lines, some of each block, fewer blocks, or single elements, whichever fits first. */
function planReading(across: PlaneAxis, along: PlaneAxis, itemBytes: number, reduce: SliceReduce, maxBytes: number): Reading {
  const isNear = along.storageStep <= NEAR;
  const lineBytes = Math.max(1, along.size * Math.max(1, along.storageStep) * itemBytes);
  let blocks = Math.min(across.size, across.most);
  let places = Math.min(along.size, along.most);
  let window: number | undefined;
  if (along.size > 0 && blocks > 0 && (!isNear || blocks * lineBytes > maxBytes)) {
    const fewer = Math.max(FEWEST_LINES, Math.floor(maxBytes / lineBytes));
    if (isNear && fewer * lineBytes <= maxBytes) blocks = Math.min(blocks, fewer);
    else if (!isNear && blocks * places <= MOST_POINTS) window = 1;
    else {
      blocks = Math.min(blocks, Math.max(FEWEST_LINES, Math.floor(MOST_POINTS / places)));
      places = Math.min(places, Math.floor(MOST_POINTS / blocks));
      window = reduce === "nearest" || !isNear ? 1 : Math.max(1, Math.floor(maxBytes / (blocks * places * itemBytes * 4)));
    }
  }
  const isWhole = reduce !== "nearest" && window === undefined && across.size * lineBytes <= maxBytes;
  const lines: { block: number; from: number; count: number }[] = [];
  const batch = Math.max(1, Math.floor(BATCH_BYTES / lineBytes));
  for (let block = 0; block < blocks; block++) {
    const start = blockStart(block, blocks, across.size);
    const size = blockStart(block + 1, blocks, across.size) - start;
    if (isWhole) {
      for (let at = 0; at < size; at += batch) lines.push({ block, from: start + at, count: Math.min(batch, size - at) });
      continue;
    }
    const room = window === undefined ? Math.floor(maxBytes / lineBytes / blocks) : 1;
    const taken = reduce === "nearest" ? 1 : Math.max(1, Math.min(size, room));
    for (let i = 0; i < taken; i++) lines.push({ block, from: start + Math.floor(((i + 0.5) * size) / taken), count: 1 });
  }
  return { lines, blocks, places, window };
}
