import { patternBytes } from "@ckptkit/testkit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { countSource, memorySource, type Progress, progressSource } from "../src/index.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A source with a clock that stands still unless it is moved. */
function watched(): { source: ReturnType<typeof progressSource>; seen: Progress[]; pass: (ms: number) => void } {
  let now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const seen: Progress[] = [];
  const source = progressSource(memorySource(patternBytes(1000)), (progress) => seen.push(progress), "hash");
  return {
    source,
    seen,
    pass: (ms) => {
      now += ms;
    },
  };
}

describe("progressSource", () => {
  it("reports at once, then at most ten times a second, and when everything was read", async () => {
    const { source, seen, pass } = watched();
    for (let start = 0; start < 1000; start += 10) {
      await source.read(start, start + 10);
      pass(10);
    }
    expect(seen.map(({ done }) => done)).toEqual([10, 110, 210, 310, 410, 510, 610, 710, 810, 910, 1000]);
    expect(seen[0]).toEqual({ phase: "hash", done: 10, total: 1000 });
  });

  it("never reports more than there is", async () => {
    const { source, seen, pass } = watched();
    for (let round = 0; round < 3; round++) {
      await source.readInto?.(new Uint8Array(900), 0);
      pass(1000);
    }
    expect(seen.map(({ done }) => done)).toEqual([900, 1000]);
  });

  it("reports what it still has to tell when it is closed", async () => {
    const { source, seen } = watched();
    await source.read(0, 10);
    await source.read(10, 300);
    await source.close?.();
    expect(seen.map(({ done }) => done)).toEqual([10, 300]);
  });
});

describe("countSource", () => {
  it("counts the reads that reach the source, and their bytes", async () => {
    const source = countSource(memorySource(patternBytes(1000)));
    await source.read(0, 10);
    await source.readInto?.(new Uint8Array(30), 100);
    expect(source.counts).toEqual({ reads: 2, bytesRead: 40 });
  });
});
