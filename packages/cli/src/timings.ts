import type { Screen } from "./output/screen.js";
import { durationText } from "./output/sizes.js";

/** How long the steps of a command took, for --verbose. */
export class Timings {
  readonly #steps: string[] = [];
  #since = performance.now();

  /** Ends a step; returns its milliseconds. */
  lap(step: string): number {
    const now = performance.now();
    const ms = now - this.#since;
    this.#since = now;
    this.#steps.push(`${step} ${durationText(ms)}`);
    return ms;
  }

  /** Tells the steps, and the process's whole life so far. */
  write(screen: Screen): void {
    screen.write(screen.colors.dim(`time: ${this.#steps.join(", ")}; ${durationText(performance.now())} since the process began\n`));
  }
}
