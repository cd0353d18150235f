import type { SliceReduce } from "./slice-plan.js";

/** Where block `index` of `blocks` begins, when `size` places are divided as evenly as whole numbers allow. */
export const blockStart = (index: number, blocks: number, size: number): number => Math.floor((index * size) / blocks);

/** Numbers of a plane, gathered block by block. */
export class SliceBlocks {
  readonly values: Float64Array;
  /** Over all numbers that were seen. */
  readonly seen = { count: 0, nan: 0, posInf: 0, negInf: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  readonly #lines: number;
  readonly #places: number;
  readonly #counts: Float64Array | undefined;
  readonly #reduce: SliceReduce;

  constructor(lines: number, places: number, reduce: SliceReduce) {
    this.#lines = lines;
    this.#places = places;
    this.#reduce = reduce;
    this.values = new Float64Array(lines * places);
    this.#counts = reduce === "mean" ? new Float64Array(lines * places) : undefined;
  }

  /** Takes note of one number of a block. */
  add(line: number, place: number, x: number): void {
    const { seen } = this;
    const at = line * this.#places + place;
    seen.count++;
    if (x - x === 0) {
      if (x < seen.min) seen.min = x;
      if (x > seen.max) seen.max = x;
    } else if (x > 0) seen.posInf++;
    else if (x < 0) seen.negInf++;
    else seen.nan++;
    const before = this.values[at] ?? 0;
    if (this.#reduce === "nearest") this.values[at] = x;
    else if (this.#counts) {
      this.values[at] = before + x; // a NaN stays
      this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    } else if (Number.isNaN(x) || Math.abs(x) > Math.abs(before)) this.values[at] = x;
    // Comparisons with a NaN are false, so that one that is there stays.
  }

  /** The blocks' numbers, by rows; `transpose` when the lines are columns. */
  finish(transpose: boolean): Float32Array {
    const { values } = this;
    if (this.#counts) for (const [at, count] of this.#counts.entries()) values[at] = (values[at] ?? 0) / count;
    if (!transpose) return Float32Array.from(values);
    const result = new Float32Array(values.length);
    for (let line = 0; line < this.#lines; line++) {
      for (let place = 0; place < this.#places; place++) result[place * this.#lines + line] = values[line * this.#places + place] ?? 0;
    }
    return result;
  }
}
