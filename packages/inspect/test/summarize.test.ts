import { storageUse, summarizeCheckpoint } from "@ckptkit/inspect";
import { fixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { openFixture } from "./opened.js";

describe("summarizeCheckpoint", () => {
  it("tells of a Lightning checkpoint what its Trainer was told", async () => {
    const { format, layout, producers, byteOrder, training, tensors } = summarizeCheckpoint(await openFixture("vit-tiny.ckpt"));
    expect({ format, layout, byteOrder }).toEqual({ format: "torch-zip", layout: "lightning", byteOrder: "little" });
    expect(producers).toEqual([{ name: "PyTorch Lightning", version: "2.6.6", from: "pytorch-lightning_version" }]);
    // As fixtures/generate trains it: Adam, a cosine schedule over 6 epochs, ModelCheckpoint and EarlyStopping.
    expect(training).toMatchObject({ epoch: 5, globalStep: 96 });
    expect(training.optimizers).toMatchObject([
      {
        path: "optimizer_states.0",
        looksLike: "Adam",
        parametersWithState: 44,
        tensors: 132,
        stateNames: ["exp_avg", "exp_avg_sq", "step"],
      },
    ]);
    expect(training.optimizers[0]?.groups).toMatchObject([{ parameters: 44, lr: 0, options: { initial_lr: 0.002, weight_decay: 0.01 } }]);
    expect(training.schedulers).toMatchObject([{ path: "lr_schedulers.0", looksLike: "CosineAnnealingLR", state: { T_max: 6 } }]);
    expect(training.callbacks.map(({ name }) => name.replace(/\{.*/, ""))).toEqual(["EarlyStopping", "ModelCheckpoint"]);
    expect(training.loops).toContain("fit_loop");
    expect(tensors.byGroup.map(({ group, tensors: count, parameters }) => [group, count, parameters])).toEqual([
      ["model", 44, 32_778],
      ["optimizer", 132, 65_600],
      ["other", 5, 2],
    ]);
  });

  it("adds up to what real torch counted", async () => {
    for (const file of ["dtypes-all.pt", "lstm.pt", "st-basic.safetensors"]) {
      const { tensors } = summarizeCheckpoint(await openFixture(file));
      const truth = fixture(file).truth.tensors;
      const byDType = new Map<string, number>();
      for (const { dtype } of truth) byDType.set(dtype, (byDType.get(dtype) ?? 0) + 1);
      expect(new Map(tensors.byDType.map((sum) => [sum.dtype, sum.tensors])), file).toEqual(byDType);
      if (tensors.ties.length === 0) expect(tensors.byteLength, file).toBe(truth.reduce((sum, { byteLength = 0 }) => sum + byteLength, 0));
    }
  });

  it("lists tied tensors together, and counts them once", async () => {
    const { tensors } = summarizeCheckpoint(await openFixture("ties.pt"));
    expect(tensors.ties).toEqual([["embed.weight", "head.weight"]]);
    expect(tensors.tensors).toBe(10);
    expect(tensors.parameters).toBe(60 + 36 + 6 + 4 * 10 + 2 * 4); // without head.weight
  });

  it("finds the bytes that were saved with views of larger tensors", async () => {
    const { storages } = summarizeCheckpoint(await openFixture("views.pt"));
    // One row of 256 x 16 float32, and 6 of 40 int32; everything else is shown whole.
    expect(storages.unused.map(({ path, unusedBytes }) => [path, unusedBytes])).toEqual([
      ["row_of_big_storage", 256 * 64 - 64],
      ["as_strided_offset", 160 - 24],
    ]);
    expect(storages.unusedBytes).toBe(256 * 64 - 64 + 160 - 24);
    expect(storages.usedBytes + storages.unusedBytes).toBe(storages.byteLength);
  });

  it("estimates memory by dtype, and says what Adam's is made of", async () => {
    const { memory } = summarizeCheckpoint(await openFixture("vit-tiny.ckpt"));
    const weights = 32_778;
    expect(memory.inferenceBytesAs).toEqual({ F32: 4 * weights, BF16: 2 * weights, F16: 2 * weights, I8: weights });
    expect(memory.adamTraining).toEqual({ weights: 4 * weights, gradients: 4 * weights, moments: 8 * weights });
    expect(memory.assumptions.length).toBeGreaterThan(0);
  });

  it("is plain JSON for every kind of file, hostile graphs too", async () => {
    for (const file of ["cyclic.pt", "deep.pt", "objects.pt", "names-odd.pt", "big-endian.pt", "st-sharded.safetensors.index.json"]) {
      const summary = summarizeCheckpoint(await openFixture(file));
      expect(JSON.parse(JSON.stringify(summary)), file).toEqual(summary);
    }
    expect(summarizeCheckpoint(await openFixture("big-endian.pt")).byteOrder).toBe("big");
  });

  it("counts findings by severity and rule", async () => {
    const checkpoint = await openFixture("ties.pt");
    const note = (rule: string, severity: "info" | "error") => ({ rule, severity, message: "x" });
    const { findings } = summarizeCheckpoint({ ...checkpoint, findings: [note("a", "info"), note("b", "error"), note("b", "error")] });
    expect(findings).toEqual({
      total: 3,
      error: 2,
      warning: 0,
      info: 1,
      byRule: [
        { rule: "b", severity: "error", count: 2 },
        { rule: "a", severity: "info", count: 1 },
      ],
    });
  });
});

describe("storageUse", () => {
  it("counts overlapping views of one storage once", async () => {
    const { tensors } = await openFixture("ties.pt");
    const parts = tensors.filter(({ path }) => path.startsWith("part.") || path === "overlap");
    expect(storageUse(parts)).toMatchObject({ count: 1, byteLength: 120, usedBytes: 120, shared: 1 });
    expect(storageUse(parts.filter(({ path }) => path !== "part.c"))).toMatchObject({ usedBytes: 80, unusedBytes: 40 });
  });
});
