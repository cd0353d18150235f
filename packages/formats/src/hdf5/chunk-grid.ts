import { contiguousStrides, countElements } from "@ckptkit/core";

/** Where a chunk is stored. */
export interface ChunkRecord {
  readonly address: number;
  /** Bytes in the file; undefined: as many as a chunk has without filters. */
  readonly storedBytes: number | undefined;
  /** A bit for each filter that was left out. */
  readonly mask: number;
}

/** How a dataset is cut into chunks. */
export class ChunkGrid {
  readonly shape: readonly number[];
  readonly chunkShape: readonly number[];
  /** Chunks along each axis. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly #strides: readonly number[];
  readonly #mostShape: readonly (number | undefined)[];

  constructor(shape: readonly number[], mostShape: readonly (number | undefined)[], chunkShape: readonly number[]) {
    this.shape = shape;
    this.chunkShape = chunkShape;
    this.counts = this.#over(shape);
    this.count = countElements(this.counts);
    this.#strides = contiguousStrides(this.counts);
    this.#mostShape = mostShape;
  }

  #over(shape: readonly number[]): number[] {
    return shape.map((size, axis) => Math.ceil(size / (this.chunkShape[axis] ?? 1)));
  }

  /** The number of the chunk at these steps along the axes, row-major; undefined outside. */
  numberOf(steps: readonly number[]): number | undefined {
    let number = 0;
    for (const [axis, count] of this.counts.entries()) {
      const step = steps[axis] ?? count;
      if (step >= count) return undefined;
      number += step * (this.#strides[axis] ?? 0);
    }
    return number;
  }

  /** The steps along the axes of a chunk. */
  stepsOf(number: number): number[] {
    return this.counts.map((count, axis) => Math.floor(number / (this.#strides[axis] ?? 1)) % count);
  }

  /**
   * The numbering of arrays of chunks: row-major over what the dataset may grow to, with the axis that grows without end first.
   *
   * @returns the number here of the chunk of a place there, undefined for places outside of the dataset; the place of a chunk; and how
   * many places there are up to the last one of the dataset.
   */
  placesOf(): { numberAt: (place: number) => number | undefined; placeAt: (number: number) => number; span: number } {
    const counts = this.#over(this.#mostShape.map((size, axis) => size ?? this.shape[axis] ?? 0));
    const endless = this.#mostShape.indexOf(undefined);
    const order = counts.map((_, axis) => axis);
    if (endless > 0) order.unshift(...order.splice(endless, 1));
    const strides = contiguousStrides(order.map((axis) => counts[axis] ?? 0));
    const steps = new Array<number>(counts.length).fill(0);
    const numberAt = (place: number): number | undefined => {
      let rest = place;
      for (const [at, axis] of order.entries()) {
        const stride = strides[at] ?? 1;
        steps[axis] = Math.floor(rest / stride);
        rest %= stride;
      }
      return this.numberOf(steps);
    };
    const placeAt = (number: number): number => {
      const from = this.stepsOf(number);
      return order.reduce((place, axis, at) => place + (from[axis] ?? 0) * (strides[at] ?? 0), 0);
    };
    return { numberAt, placeAt, span: this.count === 0 ? 0 : placeAt(this.count - 1) + 1 };
  }
}
