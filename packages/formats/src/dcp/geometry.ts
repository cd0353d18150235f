import { contiguousStrides } from "@ckptkit/core";
import type { DcpChunk } from "./metadata.js";

/**
 * How the row-major bytes of a chunk lie within those of its global tensor: in runs of equal length, one after another in both.
 */
export class ChunkRuns {
  /** Bytes of one run. */
  readonly runBytes: number;
  readonly count: number;
  /** Sizes of the axes that the runs are counted over, and the bytes between neighbours on them. */
  readonly #sizes: readonly number[];
  readonly #strides: readonly number[];
  /** The same within the chunk. */
  readonly #innerStrides: readonly number[];
  /** Where the first run begins. */
  readonly #first: number;

  /** @param stored sizes of the chunk as it is stored, where that is larger than the part of it that is in the tensor. */
  constructor(
    shape: readonly number[],
    { offsets, sizes }: Pick<DcpChunk, "offsets" | "sizes">,
    itemBytes: number,
    stored: readonly number[] = sizes,
  ) {
    const strides = contiguousStrides(shape).map((stride) => stride * itemBytes);
    let runBytes = itemBytes;
    let axis = shape.length;
    // Axes that the chunk covers whole, and the one before them, are one run.
    while (axis > 0) {
      axis--;
      runBytes *= sizes[axis] ?? 1;
      if (sizes[axis] !== shape[axis] || sizes[axis] !== stored[axis]) break;
    }
    this.runBytes = runBytes;
    this.#sizes = sizes.slice(0, axis);
    this.#strides = strides.slice(0, axis);
    this.#innerStrides = contiguousStrides(stored)
      .map((stride) => stride * itemBytes)
      .slice(0, axis);
    this.count = runBytes === 0 ? 0 : this.#sizes.reduce((product, size) => product * size, 1);
    this.#first = offsets.reduce((sum, offset, at) => sum + offset * (strides[at] ?? 0), 0);
  }

  /** Where a run begins in the global tensor. */
  startOf(run: number): number {
    return this.#first + this.#walk(run, this.#strides);
  }

  /** Where a run begins in the chunk as it is stored. */
  innerStartOf(run: number): number {
    return this.#walk(run, this.#innerStrides);
  }

  #walk(run: number, strides: readonly number[]): number {
    let start = 0;
    for (let axis = this.#sizes.length - 1, rest = run; axis >= 0; axis--) {
      const size = this.#sizes[axis] ?? 1;
      start += (rest % size) * (strides[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    return start;
  }

  /** The first run that ends after a byte of the global tensor; `count` when there is none. */
  firstAfter(byte: number): number {
    return this.#search((run) => this.startOf(run) + this.runBytes > byte);
  }

  /** The first run that begins at a byte of the global tensor or after it; `count` when there is none. */
  firstFrom(byte: number): number {
    return this.#search((run) => this.startOf(run) >= byte);
  }

  /** The first run that something is true of, and of all after it. */
  #search(isTrue: (run: number) => boolean): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (isTrue(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
