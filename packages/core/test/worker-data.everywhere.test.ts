import {
  blobSource,
  CheckpointError,
  CheckpointIntegrityError,
  CheckpointSourceError,
  CheckpointTimeoutError,
  errorFromData,
  errorToData,
  type KernelPiece,
  locate,
  memorySource,
  openDescriptor,
  Pauser,
  sliceSource,
} from "@ckptkit/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planReads } from "../src/plan-reads.js";

describe("errors that go from one thread to another", () => {
  it.each([
    new CheckpointError("INTERNAL", "one"),
    new CheckpointIntegrityError("CRC_MISMATCH", "two", { details: { record: "a", found: "00" }, suggestions: ["Fetch it again."] }),
    new CheckpointSourceError("READ_FAILED", "three", { retryable: true, retryAfterMs: 5, cause: new TypeError("below") }),
    new CheckpointTimeoutError("Reading", 1000, { details: { name: "x" } }),
    new RangeError("plain"),
  ])("arrive as they were: %s", (error) => {
    const arrived = errorFromData(structuredClone(errorToData(error)));
    expect([arrived.name, arrived.message]).toEqual([error.name, error.message]);
    if (error instanceof CheckpointError) {
      expect(arrived.constructor).toBe(error.constructor);
      expect((arrived as CheckpointError).toJSON()).toEqual(error.toJSON()); // as just seen
    }
    if (error instanceof CheckpointSourceError)
      expect(arrived).toMatchObject({ retryable: error.retryable, retryAfterMs: error.retryAfterMs });
    if (error.cause instanceof Error) expect((arrived.cause as Error).message).toBe(error.cause.message); // the cause is an error
  });

  it("arrive even when their details cannot be cloned or their causes have no end", () => {
    const circle = new Error("round");
    circle.cause = circle;
    const error = new CheckpointError("INTERNAL", "odd", { details: { call: () => 1, kept: 2 }, cause: circle });
    expect(errorFromData(structuredClone(errorToData(error)))).toMatchObject({ code: "INTERNAL", details: { kept: 2 } });
  });
});

describe("sources that go from one thread to another", () => {
  it("are the same there, files and shared memory alike", async () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    const shared = typeof SharedArrayBuffer === "function" ? new Uint8Array(new SharedArrayBuffer(100)) : undefined;
    shared?.set(bytes);
    for (const source of [blobSource(new Blob([bytes]), "a file"), ...(shared ? [memorySource(shared, "a file")] : [])]) {
      const descriptor = source.descriptor?.();
      if (!descriptor) throw new Error("The source has no descriptor.");
      const opened = await openDescriptor(descriptor);
      expect([opened.name, opened.size, [...(await opened.read(10, 20))]]).toEqual(["a file", 100, [...bytes.subarray(10, 20)]]);
    }
    expect(memorySource(bytes).descriptor?.()).toBeUndefined();
    await expect(openDescriptor({ kind: "moon" })).rejects.toMatchObject({ code: "INTERNAL" });
  });

  it("know where the bytes of their parts lie", async () => {
    const source = memorySource(new Uint8Array(1000));
    expect(await locate(sliceSource(sliceSource(source, 100, 900), 50, 60))).toEqual({ source, start: 150 });
    expect(await locate(source)).toEqual({ source, start: 0 });
  });
});

describe("plans of reads", () => {
  const work = { kind: "hash", algorithms: ["crc32"] } as const;

  it("cover every piece once and in order, in reads no longer than they may be", () => {
    const source = memorySource(new Uint8Array(0));
    const other = memorySource(new Uint8Array(0));
    const run = fc.record({ gap: fc.nat(40_000), length: fc.nat(5000), elsewhere: fc.boolean() });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 30 }), fc.integer({ min: 200, max: 3000 }), (runs, maxBytes) => {
        let at = 0;
        const pieces = runs.map(({ gap, length, elsewhere }): KernelPiece => {
          const start = at + gap;
          at = start + length;
          return { source: elsewhere ? other : source, start, end: at, work };
        });
        const covered = pieces.map(({ start }) => start);
        const ended = new Set<number>();
        let current = 0;
        for (const read of planReads(pieces, () => maxBytes)) {
          expect(read.end - read.start).toBeLessThanOrEqual(maxBytes);
          for (const { piece, from, to, at: within, last } of read.runs) {
            expect(piece).toBeGreaterThanOrEqual(current);
            current = piece;
            expect(read.source).toBe(pieces[piece]?.source);
            expect([read.start + from, within]).toEqual([covered[piece], (covered[piece] ?? 0) - (pieces[piece]?.start ?? 0)]);
            covered[piece] = read.start + to;
            if (last) ended.add(piece);
          }
        }
        expect(covered).toEqual(pieces.map(({ end }) => end));
        expect(ended.size).toBe(pieces.length);
      }),
    );
  });

  it("take thousands of small neighbours together", () => {
    const source = memorySource(new Uint8Array(0));
    const pieces = Array.from({ length: 1000 }, (_, i) => ({ source, start: 1000 * i, end: 1000 * i + 800, work }));
    expect([...planReads(pieces, () => 1 << 20)].length).toBe(1);
  });
});

describe("a pauser", () => {
  it("holds whoever waits until it is let go, and lets an abort through", async () => {
    const pauser = new Pauser();
    await pauser.wait();
    pauser.pause();
    let passed = false;
    const waiting = pauser.wait().then(() => {
      passed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([pauser.paused, passed]).toEqual([true, false]);
    await expect(pauser.wait({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    pauser.resume();
    await waiting;
    expect(passed).toBe(true);
  });
});
