import type { Kernels } from "@ckptkit/core";
import { writeSafetensors } from "@ckptkit/formats";
import { globFilter, scanCheckpoint } from "@ckptkit/inspect";
import { expectStatistics, isSpecified } from "@ckptkit/testkit";
import { fixtures } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { byPath, memoryFolder, openBytes, openFixture } from "./opened.js";

const implementations: [string, () => Promise<Kernels>][] = [
  ["js", async () => jsKernels()],
  ["wasm", () => loadKernels()],
];

describe.each(implementations)("scanning with the %s kernels", (_, load) => {
  it.each(fixtures().filter(({ bytesWritten }) => bytesWritten !== false))("finds in $file what torch finds", async (entry) => {
    const checkpoint = await openFixture(entry.file);
    const report = await scanCheckpoint(checkpoint, { kernels: await load() });
    const rows = byPath(report.tensors);
    for (const truth of entry.truth.tensors) {
      if (truth.nan === undefined || !isSpecified(entry, truth.path)) continue;
      const row = rows.get(truth.path)?.shift();
      if (!row && report.skipped.some(({ path }) => path === truth.path)) continue;
      expect(row, truth.path).toBeDefined();
      if (row) expectStatistics(row, truth);
    }
  });
});

describe("scanCheckpoint", () => {
  it("scans only what the filter chooses", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const { tensors } = await scanCheckpoint(checkpoint, { kernels: jsKernels(), select: globFilter("model.head.*") });
    expect(tensors.map(({ path }) => path)).toEqual(["state_dict.model.head.weight", "state_dict.model.head.bias"]);
  });

  it("lists tensors without bytes, and says why they were not scanned", async () => {
    const { skipped } = await scanCheckpoint(await openFixture("odd-layouts.pt"), { kernels: jsKernels() });
    expect(skipped).toContainEqual({ path: "meta", dtype: "BF16", reason: "it has no bytes in the file" });
  });

  it("adds up the totals of all rows", async () => {
    const { tensors, totals } = await scanCheckpoint(await openFixture("special-numbers.pt"), { kernels: jsKernels() });
    expect(totals.nan).toBe(tensors.reduce((sum, { nan }) => sum + nan, 0));
    expect(totals.nan).toBeGreaterThan(0);
    expect(totals.tensors).toBe(tensors.length);
  });

  it("reports progress up to the last byte, and stops when it is aborted", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const seen: [number, number][] = [];
    await scanCheckpoint(checkpoint, { kernels: jsKernels(), onProgress: ({ done, total }) => seen.push([done, total]) });
    expect(seen.at(-1)?.[0]).toBe(seen.at(-1)?.[1]);
    const controller = new AbortController();
    const scan = scanCheckpoint(checkpoint, {
      kernels: jsKernels(),
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(scan).rejects.toThrow("enough");
  });

  it("reads each of the tied tensors once and lists both", async () => {
    const bytes = new Uint8Array(new Float32Array([1, 2, 3]).buffer);
    const folder = memoryFolder();
    const tensor = (name: string) => ({
      name,
      dtype: "F32",
      shape: [3],
      byteLength: 12,
      tieKey: name,
      async *chunks() {
        yield bytes;
      },
    });
    await writeSafetensors([tensor("a"), tensor("b")], folder.create, { fileName: "x.safetensors", buffer: new Uint8Array(64) });
    const checkpoint = await openBytes(folder.bytes("x.safetensors"), "x.safetensors");
    const { tensors } = await scanCheckpoint(
      { ...checkpoint, tensors: [...checkpoint.tensors, ...checkpoint.tensors] },
      { kernels: jsKernels() },
    );
    expect(tensors.map(({ path, mean }) => [path, mean])).toEqual([
      ["a", 2],
      ["b", 2],
      ["a", 2],
      ["b", 2],
    ]);
  });
});
