/** How the values of two tensors of one shape differ. Complex elements and pairs count as two numbers each. */
export interface ValueDifference {
  /** Numbers that were compared. */
  count: number;
  /** Those that are equal: NaN equals NaN at the same place, and 0 equals -0. */
  equal: number;
  /** Those that differ by more than the tolerance. */
  outside: number;
  /** Largest |a - b|, over places where both are finite; null when there is none. */
  maxAbs: number | null;
  /** Largest |a - b| / max(|a|, |b|): 0 for equal numbers, up to 2 for opposite ones. */
  maxRel: number | null;
  /** Mean of |a - b| over the same places. */
  meanAbs: number | null;
  /** Cosine of the angle between both as vectors, over the same places; null when one of them is zero. */
  cosine: number | null;
  /** Places where just one is NaN. */
  nanMismatch: number;
  /** Places where an infinity stands against another number. */
  infMismatch: number;
  /** Row-major place of the first number that differs; null when all are equal. */
  firstAt: number | null;
}

/** How far numbers may be apart: |a - b| <= abs + rel x |b|, as numpy.isclose has it. */
export interface Tolerance {
  abs?: number | undefined;
  rel?: number | undefined;
}

/** Compares two runs of numbers, block by block; sums are float64. */
export class DifferenceTally {
  readonly #abs: number;
  readonly #rel: number;
  #count = 0;
  #equal = 0;
  #outside = 0;
  #finite = 0;
  #maxAbs = 0;
  #maxRel = 0;
  #sumAbs = 0;
  #dot = 0;
  #normA = 0;
  #normB = 0;
  #nan = 0;
  #inf = 0;
  #firstAt: number | null = null;

  constructor({ abs = 0, rel = 0 }: Tolerance = {}) {
    this.#abs = abs;
    this.#rel = rel;
  }

  /** @param apart |a - b| where equal float64s stand for integers that differ beyond 2^53; by place in the block. */
  add(a: Float64Array, b: Float64Array, apart?: ReadonlyMap<number, number>): void {
    let [equal, outside, finite, sumAbs, dot, normA, normB] = [0, 0, 0, 0, 0, 0, 0];
    let [maxAbs, maxRel] = [this.#maxAbs, this.#maxRel];
    let first = -1;
    for (let i = 0; i < a.length; i++) {
      const x = a[i] ?? 0;
      const y = b[i] ?? 0;
      if (x - x === 0 && y - y === 0) {
        finite++;
        dot += x * y;
        normA += x * x;
        normB += y * y;
        const distance = x === y ? (apart?.get(i) ?? 0) : Math.abs(x - y);
        if (distance === 0) {
          equal++;
          continue;
        }
        sumAbs += distance;
        if (distance > maxAbs) maxAbs = distance;
        const relative = distance / Math.max(Math.abs(x), Math.abs(y));
        if (relative > maxRel) maxRel = relative;
        if (distance > this.#abs + this.#rel * Math.abs(y)) outside++;
      } else if (x === y || (Number.isNaN(x) && Number.isNaN(y))) {
        equal++;
        continue;
      } else {
        if (Number.isNaN(x) || Number.isNaN(y)) this.#nan++;
        else this.#inf++;
        outside++;
      }
      if (first < 0) first = i;
    }
    if (this.#firstAt === null && first >= 0) this.#firstAt = this.#count + first;
    this.#count += a.length;
    this.#equal += equal;
    this.#outside += outside;
    this.#finite += finite;
    this.#sumAbs += sumAbs;
    this.#dot += dot;
    this.#normA += normA;
    this.#normB += normB;
    [this.#maxAbs, this.#maxRel] = [maxAbs, maxRel];
  }

  result(): ValueDifference {
    const some = this.#finite > 0;
    const norms = Math.sqrt(this.#normA) * Math.sqrt(this.#normB);
    const cosine = this.#dot / norms;
    return {
      count: this.#count,
      equal: this.#equal,
      outside: this.#outside,
      maxAbs: some ? finiteOr(this.#maxAbs) : null,
      maxRel: some ? finiteOr(this.#maxRel) : null,
      meanAbs: some ? finiteOr(this.#sumAbs / this.#finite) : null,
      // Sums of squares of the largest numbers overflow.
      cosine: norms > 0 && Number.isFinite(cosine) ? Math.max(-1, Math.min(1, cosine)) : null,
      nanMismatch: this.#nan,
      infMismatch: this.#inf,
      firstAt: this.#firstAt,
    };
  }
}

/** The distance of the largest numbers may be infinite, which JSON cannot hold. */
const finiteOr = (value: number): number => Math.min(value, Number.MAX_VALUE);
