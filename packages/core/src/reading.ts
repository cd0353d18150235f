import { type ByteSource, type Bytes, checkRange } from "./byte-source.js";
import { CheckpointConfigError } from "./errors.js";
import type { SignalOptions } from "./progress.js";

/** One thing that a {@link Reading} waits for, and the ways to get it. */
export interface Step<T> {
  /** What it is, for the message when it cannot be had without waiting. */
  readonly what: string;
  wait(): Promise<T>;
  /** The same without waiting, where that can be. */
  readonly now?: (() => T) | undefined;
}

/**
 * A procedure that reads, and leaves open whether it waits: a generator that yields each {@link Step} and is given its result. So one
 * parser serves callers that wait and callers that cannot.
 */
export type Reading<T> = Generator<Step<unknown>, T, unknown>;

/** Takes a step within a reading: `const bytes = yield* step(...)`. */
export function* step<T>(one: Step<T>): Generator<Step<unknown>, T, unknown> {
  return (yield one) as T; // whoever runs the reading hands back what the step gave
}

/** Reads [start, end) of a source within a reading. */
export function readStep(
  source: ByteSource,
  start: number,
  end: number,
  options?: SignalOptions,
): Generator<Step<unknown>, Bytes, unknown> {
  const { readSync } = source;
  return step({
    what: `reading ${source.name}`,
    wait: () => source.read(start, end, options),
    now:
      readSync &&
      (() => {
        options?.signal?.throwIfAborted();
        checkRange(source, start, end);
        return readSync.call(source, start, end);
      }),
  });
}

/** Runs a reading to its end, waiting for each step. */
export async function finish<T>(reading: Reading<T>): Promise<T> {
  let next = reading.next();
  while (!next.done) {
    let result: unknown;
    try {
      result = await next.value.wait();
    } catch (error) {
      next = reading.throw(error);
      continue;
    }
    next = reading.next(result);
  }
  return next.value;
}

/**
 * Runs a reading to its end without waiting.
 *
 * @throws {CheckpointConfigError} STAGE_ASYNC_ONLY at a step that can only be waited for
 */
export function finishSync<T>(reading: Reading<T>): T {
  let next = reading.next();
  while (!next.done) {
    const { what, now } = next.value;
    let result: unknown;
    try {
      if (!now) throw asyncOnly(what);
      result = now();
    } catch (error) {
      next = reading.throw(error);
      continue;
    }
    next = reading.next(result);
  }
  return next.value;
}

const asyncOnly = (what: string): CheckpointConfigError =>
  new CheckpointConfigError("STAGE_ASYNC_ONLY", `This cannot be done without waiting: ${what}.`, {
    details: { what },
    suggestions: ["Use execute() instead of executeSync(), process() instead of processSync()."],
  });
