import { CheckpointConfigError, type SignalOptions, type TensorHandle } from "@ckptkit/core";

/** How a block of elements becomes one number of a slice. A block with a NaN in it is NaN, so that it is seen. */
export type SliceReduce = "nearest" | "mean" | "max-abs";

/** Which plane of a tensor to read, and how finely. */
export interface SliceOptions extends SignalOptions {
  /** Axis that goes down; negative counts from the end. By default the last but one; null for a single row. */
  rowAxis?: number | null | undefined;
  /** Axis that goes right; by default the last. */
  columnAxis?: number | undefined;
  /** The place on every axis; those of the two axes are not looked at. By default the first. */
  fixed?: readonly number[] | undefined;
  /** [from, to) of the row axis. */
  rows?: readonly [number, number] | undefined;
  /** [from, to) of the column axis. */
  columns?: readonly [number, number] | undefined;
  /** Rows and columns of the result, at the most. Default 256 each. */
  maxRows?: number | undefined;
  maxColumns?: number | undefined;
  /** Default `nearest`: the element in the middle of each block. */
  reduce?: SliceReduce | undefined;
  /** Bytes to read, about, at the most: beyond them blocks are sampled, and then the result is coarser. Default 16 MiB. */
  maxBytes?: number | undefined;
}

/** One of the two axes of a plane. */
export interface PlaneAxis {
  /** Undefined for a tensor that has no such axis: one place. */
  readonly axis: number | undefined;
  readonly from: number;
  readonly size: number;
  /** Row-major places, and elements of the storage, between neighbours. */
  readonly step: number;
  readonly storageStep: number;
  readonly most: number;
}

/** A plane of a tensor. */
export interface Plane {
  readonly row: PlaneAxis;
  readonly column: PlaneAxis;
  readonly fixed: readonly number[];
  /** Row-major place of the plane's first element, and the same in elements of the storage. */
  readonly first: number;
  readonly storageFirst: number;
}

const USUAL_SIDE = 256;
const MOST_SIDE = 8192;

/**
 * Finds the plane that options ask for.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 */
export function planeOf(tensor: TensorHandle, options: SliceOptions): Plane {
  const { shape, strides } = tensor;
  const rank = shape.length;
  const columnAxis = rank === 0 ? undefined : axisOf("columnAxis", options.columnAxis ?? -1, rank);
  const usualRow = rank < 2 ? undefined : columnAxis === rank - 1 ? rank - 2 : rank - 1;
  const rowAxis =
    options.rowAxis === null ? undefined : options.rowAxis === undefined ? usualRow : axisOf("rowAxis", options.rowAxis, rank);
  if (rowAxis !== undefined && rowAxis === columnAxis)
    throw invalid(`rowAxis and columnAxis are both ${rowAxis}: two axes were expected.`, { rowAxis, columnAxis });
  const steps = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const fixed = shape.map((size, axis) => {
    if (axis === rowAxis || axis === columnAxis) return 0;
    const place = options.fixed?.[axis] ?? 0;
    if (Number.isSafeInteger(place) && place >= 0 && (place < size || size === 0)) return place;
    throw invalid(`Place ${place} of axis ${axis} was asked for, which has ${size} places.`, { axis, place, size });
  });
  const side = (name: "row" | "column", axis: number | undefined): PlaneAxis => {
    const most = whole(
      `max${name === "row" ? "Rows" : "Columns"}`,
      (name === "row" ? options.maxRows : options.maxColumns) ?? USUAL_SIDE,
      MOST_SIDE,
    );
    const size = axis === undefined ? 1 : (shape[axis] ?? 1);
    const [from, to] = rangeOf(`${name}s`, name === "row" ? options.rows : options.columns, size);
    const [step, storageStep] = axis === undefined ? [0, 0] : [steps[axis] ?? 0, strides[axis] ?? 0];
    return { axis, from, size: to - from, step, storageStep, most };
  };
  const row = side("row", rowAxis);
  const column = side("column", columnAxis);
  const at = (each: readonly number[]): number => fixed.reduce((sum, place, axis) => sum + place * (each[axis] ?? 0), 0);
  return {
    row,
    column,
    fixed,
    first: at(steps) + row.from * row.step + column.from * column.step,
    storageFirst: at(strides) + row.from * row.storageStep + column.from * column.storageStep,
  };
}

const invalid = (message: string, details: Record<string, unknown>): CheckpointConfigError =>
  new CheckpointConfigError("INVALID_ARGUMENT", message, { details });

function axisOf(name: string, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (Number.isSafeInteger(found) && found >= 0 && found < rank) return found;
  throw invalid(`${name} is ${axis}, and the tensor has ${rank} axes.`, { [name]: axis, rank });
}

function whole(name: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw invalid(`${name} is ${value}: a whole number from 1 to ${most} was expected.`, { [name]: value });
}

function rangeOf(name: string, range: readonly [number, number] | undefined, size: number): readonly [number, number] {
  const [from, to] = range ?? [0, size];
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to && to <= size) return [from, to];
  throw invalid(`${name} [${from}, ${to}) were asked for, and there are ${size}.`, { [name]: [from, to], size });
}
