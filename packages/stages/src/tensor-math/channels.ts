import { countElements } from "@ckptkit/core";

/** How a row-major tensor falls into the slices of one axis. */
export interface Channels {
  /** Size of the axis. */
  readonly count: number;
  /** Elements between neighbours along the axis. */
  readonly inner: number;
  /** Elements of one slice. */
  readonly size: number;
}

/** The slices of a shape along an axis, which may be negative to count from the end; undefined when there is no such axis. */
export function channelsOf(shape: readonly number[], axis: number): Channels | undefined {
  const at = axis < 0 ? axis + shape.length : axis;
  const count = shape[at];
  if (count === undefined) return undefined;
  return { count, inner: countElements(shape.slice(at + 1)), size: countElements([...shape.slice(0, at), ...shape.slice(at + 1)]) };
}

/** Calls `work` for every run [from, to) of a block's elements that belong to one slice. `first` is the block's place in the tensor. */
export function eachRun(
  { count, inner }: Channels,
  first: number,
  length: number,
  work: (channel: number, from: number, to: number) => void,
): void {
  let channel = Math.floor(first / inner) % count;
  let to = Math.min(length, inner - (first % inner));
  for (let from = 0; from < length; from = to, to = Math.min(length, to + inner)) {
    work(channel, from, to);
    channel = channel + 1 === count ? 0 : channel + 1;
  }
}
