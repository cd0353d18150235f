import { type Kernels, SCAN_PART_BYTES } from "@ckptkit/core";
import { checkFinite, globFilter, scanCheckpoint } from "@ckptkit/inspect";
import { isSpecified, plainSafetensors } from "@ckptkit/testkit";
import { fixtures } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { byPath, openBytes, openFixture } from "./opened.js";

const implementations: [string, () => Promise<Kernels>][] = [
  ["js", async () => jsKernels()],
  ["wasm", () => loadKernels()],
];

describe.each(implementations)("checkFinite with the %s kernels", (_, load) => {
  it.each(fixtures().filter(({ bytesWritten }) => bytesWritten !== false))("counts in $file what torch counts", async (entry) => {
    const checkpoint = await openFixture(entry.file);
    const kernels = await load();
    const report = await checkFinite(checkpoint, { kernels });
    const rows = byPath(report.tensors);
    for (const truth of entry.truth.tensors) {
      if (truth.nan === undefined || !isSpecified(entry, truth.path)) continue;
      const row = rows.get(truth.path)?.shift();
      if (!row && report.skipped.some(({ path }) => path === truth.path)) continue;
      expect(row).toMatchObject({ path: truth.path, nan: truth.nan, posInf: truth.posInf, negInf: truth.negInf });
    }
    // Everything else is as a scan has it.
    const scan = await scanCheckpoint(checkpoint, { kernels });
    expect(report.skipped).toEqual(scan.skipped);
    expect(report.tensors).toEqual(scan.tensors.map(({ zeros, min, max, mean, std, ...row }) => row));
    const { zeros, ...totals } = scan.totals;
    expect(report.totals).toEqual(totals);
  });
});

describe("checkFinite", () => {
  it("counts over the parts of a large tensor, and knows where the first NaN stands", async () => {
    const numbers = new Float32Array((3 * SCAN_PART_BYTES) / 4 - 100).fill(1);
    for (const at of [SCAN_PART_BYTES / 4 + 777, SCAN_PART_BYTES / 4 + 778, numbers.length - 1]) numbers[at] = Number.NaN;
    numbers[numbers.length - 2] = -Infinity;
    const file = plainSafetensors({ x: { dtype: "F32", shape: [numbers.length], bytes: new Uint8Array(numbers.buffer) } });
    const { tensors } = await checkFinite(await openBytes(file, "x.safetensors"), { kernels: await loadKernels() });
    const firstNonFinite = SCAN_PART_BYTES / 4 + 777;
    expect(tensors).toEqual([{ path: "x", dtype: "F32", count: numbers.length, nan: 3, posInf: 0, negInf: 1, firstNonFinite }]);
  });

  it("looks only at what the filter chooses, tells of each tensor, and reports progress to the last byte", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const told: string[] = [];
    const seen: [number, number][] = [];
    await checkFinite(checkpoint, {
      kernels: jsKernels(),
      select: globFilter("model.head.*"),
      onTensor: ({ path }) => told.push(path),
      onProgress: ({ done, total }) => seen.push([done, total]),
    });
    expect(told.toSorted()).toEqual(["state_dict.model.head.bias", "state_dict.model.head.weight"]);
    expect(seen.at(-1)?.[0]).toBe(seen.at(-1)?.[1]);
  });
});
