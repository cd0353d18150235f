import { memorySource } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { countZeros } from "../src/index.js";

describe("counting zeros", () => {
  it("goes over the whole source, and tells how far it is", async () => {
    const done: number[] = [];
    const bytes = new Uint8Array(3_000_000).fill(7, 1_000_000);
    expect(await countZeros(memorySource(bytes, "bytes"), { onProgress: (progress) => done.push(progress.done) })).toBe(1_000_000);
    expect(done.at(-1)).toBe(3_000_000);
  });

  it("ends when it is told to", async () => {
    const source = memorySource(new Uint8Array(10), "bytes");
    await expect(countZeros(source, { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
