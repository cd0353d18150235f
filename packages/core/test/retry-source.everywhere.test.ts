import { patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { type ByteSource, CheckpointSourceError, memorySource, type RetryOptions, retrySource, withRetries } from "../src/index.js";

const bytes = patternBytes(100);
const lost = (retryAfterMs?: number): CheckpointSourceError =>
  new CheckpointSourceError("READ_FAILED", "lost", { retryable: true, ...(retryAfterMs !== undefined && { retryAfterMs }) });

/** A source that fails with these errors first, and the waits between the tries. */
function failing(errors: unknown[]): { inner: ByteSource; tries: () => number; waits: number[]; options: RetryOptions } {
  const waits: number[] = [];
  let tries = 0;
  const good = memorySource(bytes);
  const inner: ByteSource = {
    ...good,
    async read(start, end, options) {
      const error = errors[tries++];
      if (error) throw error;
      return good.read(start, end, options);
    },
    async readInto(target, start, options) {
      const error = errors[tries++];
      if (error) {
        target.fill(0xee);
        throw error;
      }
      return good.readInto?.(target, start, options);
    },
  };
  const sleep = async (delayMs: number): Promise<void> => {
    waits.push(delayMs);
  };
  return { inner, tries: () => tries, waits, options: { sleep, random: () => 0 } };
}

describe("retrySource", () => {
  it("tries again after retryable errors, waiting twice as long each time", async () => {
    const { inner, waits, options } = failing([lost(), lost(), lost()]);
    const source = retrySource(inner, options);
    expect(await source.read(10, 20)).toEqual(bytes.slice(10, 20));
    expect(waits).toEqual([1000, 2000, 4000]);
  });

  it("fills the target anew when a try had left half of it", async () => {
    const { inner, options } = failing([lost()]);
    const target = new Uint8Array(10);
    await retrySource(inner, options).readInto?.(target, 10);
    expect(target).toEqual(bytes.slice(10, 20));
  });

  it("gives up after the last retry with the last error", async () => {
    const last = lost();
    const { inner, tries, options } = failing([lost(), lost(), last, lost()]);
    await expect(retrySource(inner, { ...options, retries: 2 }).read(0, 1)).rejects.toBe(last);
    expect(tries()).toBe(3);
  });

  it("passes errors on that would only come again", async () => {
    for (const error of [new CheckpointSourceError("SOURCE_CHANGED", "changed"), new Error("a defect")]) {
      const { inner, tries, options } = failing([error]);
      await expect(retrySource(inner, options).read(0, 1)).rejects.toBe(error);
      expect(tries()).toBe(1);
    }
  });

  it("waits as long as the server asked, when that is longer", async () => {
    const { inner, waits, options } = failing([lost(7000), lost(5)]);
    await retrySource(inner, options).read(0, 1);
    expect(waits).toEqual([7000, 2000]);
  });

  it("does not sit out a wait that is longer than it may be, but says how long it is", async () => {
    const { inner, tries, options } = failing([lost(3_600_000)]);
    await expect(retrySource(inner, options).read(0, 1)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect(tries()).toBe(1);
  });

  it("leaves a part of the wait to chance, within bounds", async () => {
    const { inner, waits, options } = failing([lost(), lost(), lost(), lost()]);
    await retrySource(inner, { ...options, retries: 4, maxDelayMs: 3000, jitter: 0.5, random: () => 0.5 }).read(0, 1);
    expect(waits).toEqual([750, 1500, 2250, 2250]);
  });

  it("tells of each failure that it sits out", async () => {
    const seen: unknown[] = [];
    const { inner, options } = failing([lost()]);
    await retrySource(inner, { ...options, onRetry: (error, attempt, delayMs) => seen.push([error.code, attempt, delayMs]) }).read(0, 1);
    expect(seen).toEqual([["READ_FAILED", 1, 1000]]);
  });

  it("stops waiting as soon as it is aborted", async () => {
    const { inner, tries } = failing([lost(), lost()]);
    const controller = new AbortController();
    const read = retrySource(inner, { baseDelayMs: 60_000 }).read(0, 1, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 5);
    await expect(read).rejects.toThrow("enough");
    expect(tries()).toBe(1);
  });

  it("really waits", async () => {
    const { inner } = failing([lost()]);
    const started = performance.now();
    await retrySource(inner, { baseDelayMs: 30, jitter: 0 }).read(0, 1);
    expect(performance.now() - started).toBeGreaterThan(25);
  });
});

describe("withRetries", () => {
  it("repeats any operation, such as opening", async () => {
    let tries = 0;
    const open = async (): Promise<string> => {
      if (++tries < 3) throw lost();
      return "open";
    };
    expect(await withRetries(open, { baseDelayMs: 0 })).toBe("open");
  });

  it("refuses numbers that mean nothing", async () => {
    await expect(withRetries(async () => 1, { retries: -1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(withRetries(async () => 1, { baseDelayMs: Number.NaN })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
