import { abortable } from "./abortable.js";
import type { SignalOptions } from "./progress.js";

/**
 * A switch with which a person holds a long operation and lets it go on. The operation calls `wait` between its steps.
 *
 * @example
 * const pauser = new Pauser();
 * const scan = scanCheckpoint(checkpoint, { kernels, pauser });
 * button.onclick = () => (pauser.paused ? pauser.resume() : pauser.pause());
 */
export class Pauser {
  readonly #listeners = new Set<(paused: boolean) => void>();
  #gate: { promise: Promise<void>; open: () => void } | undefined;

  get paused(): boolean {
    return this.#gate !== undefined;
  }

  /** Holds the operation at its next step. */
  pause(): void {
    if (this.#gate) return;
    let open = (): void => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gate = { promise, open };
    for (const listener of this.#listeners) listener(true);
  }

  /** Lets the operation go on. */
  resume(): void {
    const gate = this.#gate;
    if (!gate) return;
    this.#gate = undefined;
    gate.open();
    for (const listener of this.#listeners) listener(false);
  }

  /** Calls `listener` at every change; returns what ends that. */
  watch(listener: (paused: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when the operation may go on: at once unless it is held. @throws the signal's reason when it is aborted meanwhile */
  async wait({ signal }: SignalOptions = {}): Promise<void> {
    while (this.#gate) await abortable(this.#gate.promise, signal);
  }
}
