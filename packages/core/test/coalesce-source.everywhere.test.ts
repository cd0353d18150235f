import { codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coalesceSource, countSource, memorySource } from "../src/index.js";
import { gatedSource, settle } from "./gated-source.js";

const bytes = patternBytes(10_000);

describe("coalesceSource", () => {
  it("merges reads that are issued together and lie near each other", async () => {
    const inner = countSource(memorySource(bytes));
    const source = coalesceSource(inner, { gapBytes: 100, maxBytes: 5000 });
    const target = new Uint8Array(50);
    const [a, b] = await Promise.all([
      source.read(1000, 1010),
      source.read(1110, 1200),
      source.readInto?.(target, 1150),
      source.read(5000, 5001),
    ]);
    expect(a).toEqual(bytes.slice(1000, 1010));
    expect(b).toEqual(bytes.slice(1110, 1200));
    expect(target).toEqual(bytes.slice(1150, 1200));
    expect(inner.counts).toEqual({ reads: 2, bytesRead: 201 });
  });

  it("does not read across a gap that is too wide, and does not merge beyond maxBytes", async () => {
    const inner = countSource(memorySource(bytes));
    const source = coalesceSource(inner, { gapBytes: 100, maxBytes: 300 });
    await Promise.all([source.read(0, 10), source.read(111, 120)]);
    expect(inner.counts.reads).toBe(2);
    await Promise.all([source.read(0, 200), source.read(200, 301)]);
    expect(inner.counts.reads).toBe(4);
    await Promise.all([source.read(0, 200), source.read(200, 300)]);
    expect(inner.counts.reads).toBe(5);
  });

  it("does not keep anything: reads of another turn are other reads", async () => {
    const inner = countSource(memorySource(bytes));
    const source = coalesceSource(inner);
    await source.read(0, 10);
    await source.read(0, 10);
    expect(inner.counts.reads).toBe(2);
  });

  it("gives every reader exactly its own bytes, whatever they ask for (property)", async () => {
    const range = fc
      .tuple(fc.nat(9_999), fc.integer({ min: 0, max: 700 }))
      .map(([start, length]) => [start, Math.min(10_000, start + length)] as const);
    await fc.assert(
      fc.asyncProperty(
        fc.array(range, { maxLength: 20 }),
        fc.nat(300),
        fc.integer({ min: 1, max: 2000 }),
        async (ranges, gapBytes, maxBytes) => {
          const source = coalesceSource(memorySource(bytes), { gapBytes, maxBytes });
          const found = await Promise.all(ranges.map(([start, end]) => source.read(start, end)));
          for (const [index, [start, end]] of ranges.entries()) expectSameBytes(found[index], bytes.subarray(start, end));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("gives readers of one merged read memory of their own", async () => {
    const source = coalesceSource(memorySource(bytes));
    const [a, b] = await Promise.all([source.read(0, 10), source.read(0, 10)]);
    a.fill(0);
    expect(b).toEqual(bytes.slice(0, 10));
    expect(b.buffer.byteLength).toBe(10);
  });

  it("goes on for the others when one reader aborts, and stops the read when the last one does", async () => {
    const inner = gatedSource(bytes);
    const source = coalesceSource(inner);
    const [first, second] = [new AbortController(), new AbortController()];
    const target = new Uint8Array(10);
    const a = source.readInto?.(target, 0, { signal: first.signal });
    const b = source.read(10, 20);
    const c = source.read(20, 30, { signal: second.signal });
    await settle();
    expect(inner.reads.length).toBe(1);
    first.abort(new Error("first"));
    await expect(a).rejects.toThrow("first");
    second.abort(new Error("second"));
    await expect(c).rejects.toThrow("second");
    inner.reads[0]?.finish();
    expect(await b).toEqual(bytes.slice(10, 20));
    expect(target).toEqual(new Uint8Array(10));

    const d = [source.read(0, 10, { signal: AbortSignal.timeout(5) }), source.read(10, 20, { signal: AbortSignal.timeout(5) })];
    for (const read of d) await expect(read).rejects.toMatchObject({ name: "TimeoutError" });
    expect(inner.reads[1]?.signal?.aborted).toBe(true);
  });

  it("fails the readers of a merged read, and only those", async () => {
    const inner = gatedSource(bytes);
    const source = coalesceSource(inner, { gapBytes: 10 });
    const reads = [source.read(0, 10), source.read(10, 20), source.read(5000, 5010)];
    await settle();
    inner.reads.find(({ start }) => start === 0)?.fail(new Error("lost"));
    inner.reads.find(({ start }) => start === 5000)?.finish();
    const outcomes = await Promise.allSettled(reads.slice(0, 2));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await reads[2]).toEqual(bytes.slice(5000, 5010));
  });

  it("rejects only the reader that asks for too much", async () => {
    const source = coalesceSource(memorySource(bytes));
    const good = source.read(9_990, 10_000);
    expect(await codeOf(source.read(9_990, 10_001))).toBe("OUT_OF_RANGE");
    expect(await good).toEqual(bytes.slice(9_990));
  });
});
