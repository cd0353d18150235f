import { createHash } from "node:crypto";
import type { TensorHandle } from "@ckptkit/core";
import { convertCheckpoint, globFilter } from "@ckptkit/inspect";
import { isSpecified } from "@ckptkit/testkit";
import { fixtures, readFixture } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { describe, expect, it } from "vitest";
import { memoryFolder, openBytes, openFixture } from "./opened.js";

const kernels = await loadKernels();
const sha256 = async (tensor: TensorHandle): Promise<string> =>
  createHash("sha256")
    .update(await tensor.read())
    .digest("hex");

/** Fixtures with model weights that every target can hold. */
const withWeights = fixtures().filter(
  ({ truth, bytesWritten }) =>
    bytesWritten !== false &&
    truth.tensors.some(({ group }) => group === "model") &&
    truth.tensors.every(({ dtype, sha256: digest }) => digest !== undefined && !/^(C32|C128|Q.*)$/.test(dtype)),
);

/** Whether a target can hold all of a fixture: safetensors wants well-formed names, torch has no 6-bit floats. */
function fits(to: string, { truth }: (typeof withWeights)[number]): boolean {
  return truth.tensors.every(({ name, dtype }) => (to === "safetensors" ? name?.isWellFormed() : !dtype.startsWith("F6")));
}

/** torch counts 4-bit floats in pairs, safetensors one by one. */
function inTarget(to: string, dtype: string, shape: readonly number[]): [string, readonly number[]] {
  const last = shape.at(-1) ?? 0;
  if (to === "safetensors" && dtype === "F4_X2") return ["F4", [...shape.slice(0, -1), last * 2]];
  return to !== "safetensors" && dtype === "F4" ? ["F4_X2", [...shape.slice(0, -1), last / 2]] : [dtype, shape];
}

describe.each(["safetensors", "state_dict", "pytorch", "lightning"] as const)("converting to %s", (to) => {
  it.each(withWeights.filter((entry) => fits(to, entry)))("keeps name, dtype, shape and bytes of every weight of $file", async (entry) => {
    const folder = memoryFolder();
    const report = await convertCheckpoint(await openFixture(entry.file), folder.create, { kernels, fileName: "out", to });
    const written = await folder.open("out");
    if (to !== "safetensors") expect(written.layout).toBe(to);
    const byName = new Map(written.tensors.map((tensor) => [tensor.name, tensor]));
    for (const truth of entry.truth.tensors) {
      if (truth.group !== "model" || truth.name === undefined || !isSpecified(entry, truth.path)) continue;
      const tensor = byName.get(report.ties.get(truth.name) ?? truth.name);
      expect([tensor?.dtype, tensor?.shape], truth.name).toEqual(inTarget(to, truth.dtype, truth.shape));
      if (tensor) expect(await sha256(tensor), truth.name).toBe(truth.sha256);
    }
  });
});

describe("convertCheckpoint", () => {
  it("stores tied tensors once and records the dropped name in the safetensors metadata", async () => {
    const folder = memoryFolder();
    const report = await convertCheckpoint(await openFixture("ties.pt"), folder.create, {
      kernels,
      fileName: "ties.safetensors",
      to: "safetensors",
    });
    expect(report.ties.size).toBeGreaterThan(0);
    const written = await folder.open("ties.safetensors");
    for (const [dropped, kept] of report.ties) {
      expect(written.metadata[dropped]).toBe(kept);
      expect(written.tensors.map(({ name }) => name)).toContain(kept);
      expect(written.tensors.map(({ name }) => name)).not.toContain(dropped);
    }
  });

  it("splits safetensors into shards that open again by their index", async () => {
    const folder = memoryFolder();
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const report = await convertCheckpoint(checkpoint, folder.create, {
      kernels,
      fileName: "vit.safetensors",
      to: "safetensors",
      maxShardBytes: 50_000,
    });
    expect(report.files.length).toBeGreaterThan(3);
    expect(folder.names()).toContain("vit.safetensors.index.json");
    const written = await folder.open("vit.safetensors.index.json");
    expect(written.findings).toEqual([]);
    const weights = checkpoint.tensors.filter(({ group }) => group === "model");
    expect(written.tensors.map(({ name }) => name).sort()).toEqual(weights.map(({ name }) => name).sort());
  });

  it("takes optimizer and other tensors along by their paths with all", async () => {
    const folder = memoryFolder();
    const checkpoint = await openFixture("conv-bn.pt");
    await convertCheckpoint(checkpoint, folder.create, { kernels, fileName: "all.safetensors", to: "safetensors", all: true });
    const written = await folder.open("all.safetensors");
    expect(written.tensors.map(({ name }) => name).sort()).toEqual(checkpoint.tensors.map(({ path }) => path).sort());
  });

  it("keeps the training state of a Lightning checkpoint with all", async () => {
    const folder = memoryFolder();
    const checkpoint = await openFixture("vit-tiny.ckpt");
    await convertCheckpoint(checkpoint, folder.create, { kernels, fileName: "all.ckpt", to: "lightning", all: true });
    const written = await folder.open("all.ckpt");
    expect(written.layout).toBe("lightning");
    expect(written.metadata.epoch).toBe(checkpoint.metadata.epoch);
    expect(written.metadata.global_step).toBe(checkpoint.metadata.global_step);
    const optimizer = ({ tensors }: typeof checkpoint) => tensors.filter(({ group }) => group === "optimizer").map(({ path }) => path);
    expect(optimizer(written)).toEqual(optimizer(checkpoint));
  });

  it("commits nothing when a byte of the source is damaged, and converts it all the same when told not to look", async () => {
    const bytes = await readFixture("vit-tiny.ckpt");
    const checkpoint = await openBytes(bytes, "vit-tiny.ckpt");
    const weight = checkpoint.tensors.find(({ name }) => name === "model.head.weight");
    const at = Buffer.from(bytes).indexOf(Buffer.from((await weight?.read()) ?? []));
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ 0x10;
    for (const to of ["safetensors", "state_dict"] as const) {
      const folder = memoryFolder();
      const failure = convertCheckpoint(await openBytes(bytes, "damaged.ckpt"), folder.create, { kernels, fileName: "out", to });
      await expect(failure).rejects.toMatchObject({ code: "CRC_MISMATCH" });
      expect(folder.names()).toEqual([]);
      await convertCheckpoint(await openBytes(bytes, "damaged.ckpt"), folder.create, { kernels, fileName: "out", to, checkCrc: false });
      expect(folder.names()).toEqual(["out"]);
    }
  });

  it("commits nothing when it is aborted", async () => {
    const folder = memoryFolder();
    const controller = new AbortController();
    const failure = convertCheckpoint(await openFixture("vit-tiny.ckpt"), folder.create, {
      kernels,
      fileName: "out",
      to: "safetensors",
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(failure).rejects.toThrow("enough");
    expect(folder.names()).toEqual([]);
  });

  it("says where it looked when there are no model weights, and what to try", async () => {
    const failure = convertCheckpoint(await openFixture("tensor-list.pt"), memoryFolder().create, {
      kernels,
      fileName: "out",
      to: "safetensors",
    });
    await expect(failure).rejects.toMatchObject({ code: "NO_STATE_DICT", suggestions: [expect.stringContaining("--all")] });
  });

  it("refuses a filter that chooses nothing", async () => {
    const failure = convertCheckpoint(await openFixture("lstm.pt"), memoryFolder().create, {
      kernels,
      fileName: "out",
      to: "safetensors",
      select: globFilter("nothing*"),
    });
    await expect(failure).rejects.toMatchObject({ code: "NO_TENSORS" });
  });

  it("names the tensors whose dtype safetensors does not have", async () => {
    const failure = convertCheckpoint(await openFixture("quantized.pt"), memoryFolder().create, {
      kernels,
      fileName: "out",
      to: "safetensors",
      all: true,
    });
    await expect(failure).rejects.toMatchObject({ code: "UNSUPPORTED_DTYPE" });
  });

  it("refuses to leave out weights that torch has no dtype for", async () => {
    const failure = convertCheckpoint(await openFixture("st-packed-dtypes.safetensors"), memoryFolder().create, {
      kernels,
      fileName: "out",
      to: "state_dict",
    });
    await expect(failure).rejects.toMatchObject({ code: "UNSUPPORTED_DTYPE", message: expect.stringContaining("F6_E2M3") });
  });

  it("leaves no memory of the kernels taken", async () => {
    const checkpoint = await openFixture("lstm.pt");
    for (let round = 0; round < 20; round++) {
      await convertCheckpoint(checkpoint, memoryFolder().create, { kernels, fileName: "out", to: "safetensors", dtype: "BF16" });
    }
    const whole = kernels.allocate(16 * 1024 * 1024); // most of what they have
    whole.free();
  });
});
