import { codeOf, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { cacheSource, countSource, memorySource } from "../src/index.js";
import { gatedSource, settle } from "./gated-source.js";

const bytes = patternBytes(10_000);

describe("cacheSource", () => {
  it("reads a block once for many small reads in it", async () => {
    const inner = countSource(memorySource(bytes));
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 5000 });
    for (let start = 0; start < 1000; start += 30) {
      expect(await source.read(start, start + 10)).toEqual(bytes.slice(start, start + 10));
    }
    expect(inner.counts).toEqual({ reads: 1, bytesRead: 1000 });
  });

  it("lets reads of a block's size and over through as they are", async () => {
    const inner = countSource(memorySource(bytes));
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 5000 });
    await source.read(500, 1500);
    await source.read(500, 1500);
    expect(inner.counts).toEqual({ reads: 2, bytesRead: 2000 });
  });

  it("keeps no more than maxBytes, and drops the block that was not used for longest", async () => {
    const inner = countSource(memorySource(bytes));
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 3000 });
    for (const block of [0, 1, 2, 0, 3]) await source.read(block * 1000, block * 1000 + 1);
    expect(inner.counts.reads).toBe(4);
    for (const block of [0, 2, 3]) await source.read(block * 1000, block * 1000 + 1);
    expect(inner.counts.reads).toBe(4);
    await source.read(1000, 1001);
    expect(inner.counts.reads).toBe(5);
  });

  it("reads neighbouring blocks that are missing in one go, and only what is missing", async () => {
    const inner = gatedSource(bytes);
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 8000 });
    const first = source.prefetch(2000, 3000);
    await settle();
    inner.reads[0]?.finish();
    await first;
    const second = source.prefetch(500, 5500);
    await settle();
    expect(inner.reads.slice(1).map(({ start, end }) => [start, end])).toEqual([
      [0, 2000],
      [3000, 6000],
    ]);
    for (const read of inner.reads) read.finish();
    await second;
    expect(await source.read(100, 5900)).toEqual(bytes.slice(100, 5900));
    expect(inner.reads.length).toBe(3);
  });

  it("prefetches no more than it can keep", async () => {
    const inner = countSource(memorySource(bytes));
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 3000 });
    await source.prefetch(0, 10_000);
    expect(inner.counts).toEqual({ reads: 1, bytesRead: 3000 });
  });

  it("lets readers that come at the same time share one read", async () => {
    const inner = gatedSource(bytes);
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 5000 });
    const reads = [source.read(0, 10), source.read(10, 20), source.read(990, 999)];
    await settle();
    expect(inner.reads.length).toBe(1);
    inner.reads[0]?.finish();
    expect(await Promise.all(reads)).toEqual([bytes.slice(0, 10), bytes.slice(10, 20), bytes.slice(990, 999)]);
  });

  it("goes on for the others when one reader aborts, and stops the read when the last one does", async () => {
    const inner = gatedSource(bytes);
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 5000 });
    const [first, second] = [new AbortController(), new AbortController()];
    const a = source.read(0, 10, { signal: first.signal });
    const b = source.read(10, 20, { signal: second.signal });
    await settle();
    first.abort(new Error("first"));
    await expect(a).rejects.toThrow("first");
    expect(inner.reads[0]?.signal?.aborted).toBe(false);
    second.abort(new Error("second"));
    await expect(b).rejects.toThrow("second");
    expect(inner.reads[0]?.signal?.aborted).toBe(true);
    const c = source.read(20, 30);
    await settle();
    inner.reads[1]?.finish();
    expect(await c).toEqual(bytes.slice(20, 30));
  });

  it("forgets a failed read, so that the next one tries again", async () => {
    const inner = gatedSource(bytes);
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 5000 });
    const failing = [source.read(0, 10), source.read(5, 15)];
    await settle();
    inner.reads[0]?.fail(new Error("lost"));
    for (const read of failing) await expect(read).rejects.toThrow("lost");
    const again = source.read(0, 10);
    await settle();
    inner.reads[1]?.finish();
    expect(await again).toEqual(bytes.slice(0, 10));
  });

  it("writes nothing into a target after its read was rejected", async () => {
    const inner = gatedSource(bytes);
    const source = cacheSource(inner, { blockBytes: 1000, maxBytes: 5000 });
    const held = source.read(0, 1);
    await settle();
    inner.reads[0]?.finish();
    await held;
    const controller = new AbortController();
    const target = new Uint8Array(20);
    const other = source.read(1001, 1002);
    const read = source.readInto?.(target, 990, { signal: controller.signal });
    await settle();
    controller.abort(new Error("stop"));
    await expect(read).rejects.toThrow("stop");
    inner.reads[1]?.finish();
    await other;
    expect(target).toEqual(new Uint8Array(20));
  });

  it("refuses to be read after it was closed, also from what it had kept", async () => {
    const source = cacheSource(memorySource(bytes));
    await source.read(0, 10);
    await source.close?.();
    expect(await codeOf(source.read(0, 10))).toBe("SOURCE_CLOSED");
  });

  it("refuses bounds that cannot work", () => {
    const inner = memorySource(bytes);
    for (const options of [{ blockBytes: 0 }, { blockBytes: 1.5 }, { maxBytes: Number.NaN }, { blockBytes: 100, maxBytes: 99 }]) {
      expect(() => cacheSource(inner, options)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
  });
});
