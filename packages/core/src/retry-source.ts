import { type ByteSource, readInto } from "./byte-source.js";
import { checkOption } from "./check-option.js";
import { CheckpointSourceError } from "./errors.js";
import type { SignalOptions } from "./progress.js";
import { wrapSource } from "./wrap-source.js";

/** How often and when a failed operation is tried again. */
export interface RetryOptions {
  /** Tries after the first one (3). */
  retries?: number;
  /** Wait before the first retry (1000); it doubles with each further one. */
  baseDelayMs?: number;
  /**
   * Longest wait (60,000). When a server asks for a longer one (Retry-After), the error is thrown at once: its `retryAfterMs`
   * tells when to come back.
   */
  maxDelayMs?: number;
  /**
   * Part of each wait that is left to chance, 0 to 1 (0.5), so that readers that failed together do not come back together.
   *
   * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
   */
  jitter?: number;
  /** Numbers from 0 to 1 for the jitter; `Math.random` when left out. */
  random?: () => number;
  /** Waits; rejects with the signal's reason when it is aborted. A timer when left out. */
  sleep?: (delayMs: number, signal?: AbortSignal) => Promise<void>;
  /** Hears of each failure that will be followed by another try. `attempt` counts from 1. */
  onRetry?: (error: CheckpointSourceError, attempt: number, delayMs: number) => void;
}

/**
 * Runs an operation again while it fails with a `retryable` {@link CheckpointSourceError}.
 *
 * @throws the operation's last error; the signal's reason when it is aborted, also while waiting.
 * @example const source = await withRetries(() => httpSource(url), { retries: 5 });
 */
export async function withRetries<T>(operation: () => Promise<T>, options: RetryOptions & SignalOptions = {}): Promise<T> {
  const { retries = 3, baseDelayMs = 1000, maxDelayMs = 60_000, jitter = 0.5, random = Math.random, sleep = wait, signal } = options;
  checkOption("retries", retries, 0);
  checkOption("baseDelayMs", baseDelayMs, 0, false);
  checkOption("maxDelayMs", maxDelayMs, 0, false);
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof CheckpointSourceError) || !error.retryable || attempt > retries) throw error;
      const asked = error.retryAfterMs ?? 0;
      if (asked > maxDelayMs) throw error;
      const backoff = Math.min(baseDelayMs * 2 ** (attempt - 1), maxDelayMs) * (1 - jitter * random());
      const delayMs = Math.max(asked, backoff);
      options.onRetry?.(error, attempt, delayMs);
      await sleep(delayMs, signal);
    }
  }
}

/**
 * Reads again what failed with a `retryable` error: lost connections, time-outs, servers that are busy. Other errors pass at
 * once. After an error the content of a `readInto` target is undefined, as without this wrapper.
 *
 * @example const source = retrySource(await httpSource(url), { retries: 5 });
 */
export function retrySource(inner: ByteSource, options: RetryOptions = {}): ByteSource {
  return wrapSource(inner, {
    read: (start, end, { signal } = {}) => withRetries(() => inner.read(start, end, { signal }), { ...options, signal }),
    readInto: (target, start, { signal } = {}) => withRetries(() => readInto(inner, target, start, { signal }), { ...options, signal }),
  });
}

function wait(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, delayMs);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
