/** Places of the code that are told apart; beyond that, several share a counter. */
export const COUNTERS = 65_536;

/** What instrumented code calls. See instrument.ts, which puts the calls in. */
interface Probe {
  readonly counters: Uint8Array;
  /** Told of every allocation before it is made: so many elements of so many bytes. Gives back the number. */
  alloc(count: unknown, unit: number): unknown;
}

declare global {
  var ckptkitProbe: Probe | undefined;
}

/** One allocation, and all of one execution, may have this many bytes: gathering a strided tensor may take 32 MiB at a time. */
const MAX_ALLOCATION = 40 * 1024 * 1024;
const MAX_ALLOCATED = 192 * 1024 * 1024;

let allocated = 0;
let tooMuch: string | undefined;

const counters = new Uint8Array(COUNTERS);

globalThis.ckptkitProbe = {
  counters,
  alloc(count, unit) {
    if (typeof count !== "number" || !(count > 0)) return count;
    const bytes = count * unit;
    allocated += bytes;
    if (bytes <= MAX_ALLOCATION && allocated <= MAX_ALLOCATED) return count;
    tooMuch ??= new Error(bytes > MAX_ALLOCATION ? `${bytes} bytes allocated at once` : `${allocated} bytes allocated in all`).stack;
    // A real allocation of this size could end the process before anything is said about it.
    throw new RangeError("The fuzzer refuses so large an allocation.");
  },
};

/** Forgets what the last execution did. */
export function beginExecution(): void {
  counters.fill(0);
  allocated = 0;
  tooMuch = undefined;
}

/** Where an execution allocated more than any input is worth; undefined when it did not. */
export const allocatedTooMuch = (): string | undefined => tooMuch;

/** Which places have been reached, and about how often, by any execution so far. */
export class Novelty {
  readonly #seen = new Uint8Array(COUNTERS);
  /** Places reached. */
  places = 0;

  /** Whether the last execution reached a place, or reached one in another order of magnitude, for the first time. */
  add(): boolean {
    let isNew = false;
    for (let index = 0; index < COUNTERS; index++) {
      const count = counters[index] ?? 0;
      if (count === 0) continue;
      const bit = 1 << (count < 4 ? count - 1 : Math.min(7, 32 - Math.clz32(count)));
      const before = this.#seen[index] ?? 0;
      if ((before & bit) !== 0) continue;
      if (before === 0) this.places++;
      this.#seen[index] = before | bit;
      isNew = true;
    }
    return isNew;
  }
}
