import type { PickleValue } from "./values.js";

/** Slots that may be skipped before the memo leaves its dense array. Python 2's cPickle starts at slot 1. */
const DENSE_GAP = 8;

/** The pickle memo. Slots of any number cost only what is put into them. */
export class Memo {
  /** Slots from 0 on, without large gaps. */
  readonly dense: (PickleValue | undefined)[] = [];
  readonly #sparse = new Map<number, PickleValue>();
  /** Slots in use; also the slot that MEMOIZE takes. */
  size = 0;

  /** The value in a slot; undefined when nothing was put there. */
  get(slot: number): PickleValue | undefined {
    return slot < this.dense.length ? this.dense[slot] : this.#sparse.get(slot);
  }

  /** Fills a slot. Returns whether another value stood there. */
  put(slot: number, value: PickleValue): boolean {
    const { dense } = this;
    if (slot === dense.length && this.#sparse.size === 0) {
      dense.push(value);
      this.size++;
      return false;
    }
    const before = this.get(slot);
    if (slot < dense.length) dense[slot] = value;
    else if (slot <= dense.length + DENSE_GAP && this.#sparse.size === 0) {
      while (dense.length < slot) dense.push(undefined);
      dense.push(value);
    } else this.#sparse.set(slot, value);
    if (before === undefined) this.size++;
    return before !== undefined && !Object.is(before, value);
  }
}
