import { checkLimit, type Limits } from "@ckptkit/core";

/** Counts the bytes of chunks that were never written, so that a few bytes of metadata may not stand for a terabyte. */
export class FillBudget {
  readonly #name: string;
  readonly #limits: Limits;
  #filled = 0;
  /** Chunks up to here were counted. */
  #last = -1;

  constructor(name: string, limits: Limits) {
    this.#name = name;
    this.#limits = limits;
  }

  /** @throws {CheckpointLoadError} LIMIT_EXCEEDED when more than `expandedBytes` of the array were never written */
  note(chunk: number, byteLength: number): void {
    if (chunk <= this.#last || byteLength === 0) return;
    this.#last = chunk;
    this.#filled += byteLength;
    checkLimit(this.#limits, "expandedBytes", this.#filled, `Bytes of ${this.#name} that were never written`);
  }
}
