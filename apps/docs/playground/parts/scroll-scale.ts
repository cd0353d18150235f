/**
 * The tallest an element is made, in pixels. Chromium stops at about 33 million, Firefox at 17.8 million: a table of a million rows is taller
 * and scrolls at a scale.
 */
export const TALLEST = 12_000_000;

/** Translates between the scroll bar and rows that are taller in all than an element can be. */
export class ScrollScale {
  /** Pixels of all rows. */
  readonly whole: number;
  /** Pixels of the element that stands for them. */
  readonly drawn: number;
  readonly #ratio: number;
  /** Where the rows stand exactly; the scroll bar can only say it roughly at a scale. */
  #exact = 0;
  #bar = 0;

  /** @param view pixels that show at a time */
  constructor(whole: number, view: number, tallest: number = TALLEST) {
    this.whole = whole;
    this.drawn = Math.min(whole, tallest);
    const travel = Math.max(0, this.drawn - view);
    this.#ratio = travel === 0 ? 1 : Math.max(0, whole - view) / travel;
  }

  get isScaled(): boolean {
    return this.whole > this.drawn;
  }

  /** The place in the rows for a place of the scroll bar. */
  offsetOf(bar: number): number {
    if (!this.isScaled) return bar;
    // The bar stands where it was put: the exact place is known.
    if (Math.abs(bar - this.#bar) <= 1) return this.#exact;
    this.#bar = bar;
    this.#exact = bar * this.#ratio;
    return this.#exact;
  }

  /** The place of the scroll bar for a place in the rows, which is remembered exactly. */
  barOf(offset: number): number {
    if (!this.isScaled) return offset;
    this.#exact = Math.max(0, offset);
    this.#bar = this.#exact / this.#ratio;
    return this.#bar;
  }
}
