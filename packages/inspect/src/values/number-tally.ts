/** Exponents of float64 reach from -1074 to 1023; this is added so that they count from 0. */
const EXPONENT_BASE = 1074;
const EXPONENTS = EXPONENT_BASE + 1024;

/** Equal bins from the lowest edge to the highest, as numpy.histogram lays them. */
export interface Bins {
  readonly low: number;
  readonly high: number;
  /** One more than there are bins. */
  readonly edges: Float64Array;
}

/** Lays `count` equal bins over [low, high]. A single number gets a range of one around it, as in numpy. */
export function layBins(low: number, high: number, count: number): Bins {
  let [from, to] = [low, high];
  if (from === to) {
    // Beyond 2^53 half a unit is lost, and the range would stay empty.
    const half = Math.max(0.5, Math.abs(low) * 2 ** -40);
    [from, to] = [Math.max(-Number.MAX_VALUE, low - half), Math.min(Number.MAX_VALUE, high + half)];
  }
  const step = (to - from) / count;
  // The distance of the largest numbers is infinite: then by halves.
  const edge = Number.isFinite(step)
    ? (i: number): number => from + i * step
    : (i: number): number => 2 * (from / 2 + i * (to / 2 / count - from / 2 / count));
  return { low: from, high: to, edges: Float64Array.from({ length: count + 1 }, (_, i) => (i === count ? to : edge(i))) };
}

/** floor(log2(|x|)) of a number below the smallest normal float64. */
const subnormalExponent = (x: number): number => {
  const scaled = Math.abs(x) * 2 ** 1000 * 2 ** 74; // an exact integer below 2^52
  let exponent = 0;
  while (2 ** (exponent + 1) <= scaled) exponent++;
  return exponent - EXPONENT_BASE;
};

/**
 * Counts numbers by kind, by exponent and by bin.
 *
 * @see https://github.com/numpy/numpy/blob/main/numpy/lib/_histograms_impl.py the fast path of histogram, whose bins these are
 */
export class NumberTally {
  count = 0;
  nan = 0;
  posInf = 0;
  negInf = 0;
  zeros = 0;
  below = 0;
  above = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  readonly counts: Float64Array;
  readonly #bins: Bins | undefined;
  readonly #positive = new Float64Array(EXPONENTS);
  readonly #negative = new Float64Array(EXPONENTS);

  constructor(bins: Bins | undefined) {
    this.#bins = bins;
    this.counts = new Float64Array(bins ? bins.edges.length - 1 : 0);
  }

  /** Takes note of numbers that each occur once, or as often as `times` says. */
  add(numbers: Float64Array, times?: Float64Array): void {
    let { nan, posInf, negInf, zeros, below, above, min, max } = this;
    const counts = this.counts;
    const [positive, negative] = [this.#positive, this.#negative];
    const bins = this.#bins;
    const edges = bins?.edges ?? counts;
    const last = counts.length - 1;
    const [low, high] = [bins?.low ?? 0, bins?.high ?? 0];
    const unit = Number.isFinite(high - low) ? 1 : 0.5;
    const width = high * unit - low * unit;
    // The upper halves of the float64s, with sign and exponent. Little-endian, as every engine that runs WebAssembly is.
    const words = new Uint32Array(numbers.buffer, numbers.byteOffset, 2 * numbers.length);
    let total = 0;
    for (let i = 0; i < numbers.length; i++) {
      const x = numbers[i] ?? 0;
      const n = times ? (times[i] ?? 0) : 1;
      total += n;
      if (n === 0) continue;
      if (x - x !== 0) {
        if (x > 0) posInf += n;
        else if (x < 0) negInf += n;
        else nan += n;
        continue;
      }
      if (x < min) min = x;
      if (x > max) max = x;
      if (x === 0) zeros += n;
      else {
        const biased = ((words[2 * i + 1] ?? 0) >>> 20) & 0x7ff;
        const at = (biased > 0 ? biased - 1023 : subnormalExponent(x)) + EXPONENT_BASE;
        if (x > 0) positive[at] = (positive[at] ?? 0) + n;
        else negative[at] = (negative[at] ?? 0) + n;
      }
      if (last < 0) continue;
      if (x < low) below += n;
      else if (x > high) above += n;
      else {
        let at = Math.min(last, Math.floor(((x * unit - low * unit) / width) * counts.length));
        // Division rounds: the edges decide.
        while (at > 0 && x < (edges[at] ?? 0)) at--;
        while (at < last && x >= (edges[at + 1] ?? 0)) at++;
        counts[at] = (counts[at] ?? 0) + n;
      }
    }
    this.count += total;
    Object.assign(this, { nan, posInf, negInf, zeros, below, above, min, max });
  }

  /** Numbers that are not 0 by floor(log2(|x|)), from the smallest exponent that occurs to the largest. */
  magnitudes(): { exponent: number; positive: number; negative: number }[] {
    const used = (at: number): boolean => (this.#positive[at] ?? 0) + (this.#negative[at] ?? 0) > 0;
    let from = 0;
    let to = EXPONENTS - 1;
    while (from < EXPONENTS && !used(from)) from++;
    while (to > from && !used(to)) to--;
    return Array.from({ length: Math.max(0, Math.min(to, EXPONENTS - 1) - from + 1) }, (_, i) => ({
      exponent: from + i - EXPONENT_BASE,
      positive: this.#positive[from + i] ?? 0,
      negative: this.#negative[from + i] ?? 0,
    }));
  }
}
