import { abortable } from "./abortable.js";

/**
 * One operation that several callers wait for, each with a signal of its own. A caller that gives up does not disturb the
 * others; when the last one gives up, the operation itself is aborted.
 */
export class SharedRead<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiters = 0;
  #settled = false;

  /** Starts the operation in the next microtask, so that it can refer to the object that is being made here. */
  constructor(start: (signal: AbortSignal) => Promise<T>) {
    const settle = (): void => {
      this.#settled = true;
    };
    this.#result = Promise.resolve().then(() => start(this.#controller.signal));
    // Also keeps a failure that nobody waits for any more from being reported as unhandled.
    this.#result.then(settle, settle);
  }

  /** Whether everyone gave up before it finished: who comes now must start another. */
  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  async wait(signal: AbortSignal | undefined): Promise<T> {
    this.#waiters++;
    try {
      return await abortable(this.#result, signal);
    } finally {
      this.#waiters--;
      if (this.#waiters === 0 && !this.#settled) this.#controller.abort();
    }
  }
}
