import { CheckpointSourceError, getEntry, isNode, type Platform } from "@ckptkit/core";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { scanCheckpoint } from "@ckptkit/inspect";
import { jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { ColdStartLoader } from "../src/loading/cold-start.js";
import { WarmStartLoader } from "../src/loading/warm-start.js";
import { WeightsOnlyLoader } from "../src/loading/weights-only.js";
import { ReferenceModel, ReferenceOptimizer, ReferenceScheduler } from "../src/model/index.js";
import { SaveSink } from "../src/sinks/save.js";
import { checkpointOf, modelOf, noting, openFixture, valuesOf } from "./checkpoints.js";
import { type MemoryPlatform, memoryPlatform } from "./memory-platform.js";
import { bytesOfTensor, floats, tensorOf } from "./tensors.js";

/** A model that was loaded by migrations from a checkpoint of other names, so that its values are computed. */
async function loadedContext(platform: Platform): Promise<CheckpointContext> {
  const checkpoint = checkpointOf(valuesOf({ "net.qkv": [6, 2], "net.out": [2, 3] }), {
    epoch: 9,
    global_step: 90,
    "pytorch-lightning_version": "2.1.0",
  });
  const model = modelOf({ q: [2, 2], k: [2, 2], v: [2, 2], out: [3, 2] });
  const loader = new WeightsOnlyLoader({
    strict: true,
    submodule: "net",
    migrations: [{ split: "qkv", into: ["q", "k", "v"], axis: 0 }, { transpose: "out" }],
  });
  return loader.process(new CheckpointContext({ checkpoint, model, platform }));
}

const EXPECTED = {
  q: [0, 1, 2, 3],
  k: [4, 5, 6, 7],
  v: [8, 9, 10, 11],
  out: [1000, 1003, 1001, 1004, 1002, 1005],
};

async function weightsIn(platform: Platform, path: string): Promise<Record<string, number[]>> {
  const checkpoint = await openUri(platform, path);
  const weights = checkpoint.tensors.filter(({ group }) => group === "model");
  return Object.fromEntries(await Promise.all(weights.map(async (tensor) => [tensor.name, await floats(tensor)] as const)));
}

describe("the sink save", () => {
  it.each(["m.safetensors", "m.pt", "m.ckpt"])("writes the model's current tensors to %s, computing what was migrated", async (path) => {
    const platform = memoryPlatform();
    const { metadata } = await new SaveSink({ path }).process(await loadedContext(platform));
    expect(await weightsIn(platform, path)).toEqual(EXPECTED);
    expect(metadata.saved).toEqual([
      {
        files: [{ name: path, byteLength: platform.files.get(path)?.length }],
        format: { "m.safetensors": "safetensors", "m.pt": "state_dict", "m.ckpt": "lightning" }[path],
        tensors: 4,
        ties: 0,
      },
    ]);
  });

  it("writes the checkpoint where no model was loaded, or when told so", async () => {
    const platform = memoryPlatform();
    const context = await loadedContext(platform);
    await new SaveSink({ path: "a.pt", of: "checkpoint" }).process(context);
    await new SaveSink({ path: "b.pt" }).process(context.with({ model: undefined }));
    for (const path of ["a.pt", "b.pt"]) expect(Object.keys(await weightsIn(platform, path))).toEqual(["net.qkv", "net.out"]);
  });

  it("writes a checkpoint by its name", async () => {
    const platform = memoryPlatform();
    const context = (await loadedContext(platform)).withCheckpoint(checkpointOf(valuesOf({ x: [2] })), "other");
    await new SaveSink({ path: "x.pt", from: "other" }).process(context);
    expect(await weightsIn(platform, "x.pt")).toEqual({ x: [0, 1] });
  });

  it("casts, chooses and splits into shards with an index beside them", async () => {
    const platform = memoryPlatform();
    const context = await loadedContext(platform);
    await new SaveSink({ path: "https://example.org/out/m.safetensors?key=1", maxShardBytes: 16, exclude: ["out"] }).process(context);
    expect([...platform.files.keys()].map((name) => name.replace("https://example.org/out/", ""))).toEqual([
      "m-00001-of-00003.safetensors",
      "m-00002-of-00003.safetensors",
      "m-00003-of-00003.safetensors",
      "m.safetensors.index.json",
    ]);
    await new SaveSink({ path: "half.pt", dtype: "F16" }).process(context);
    const half = await openUri(platform, "half.pt");
    expect(new Set(half.tensors.map(({ dtype }) => dtype))).toEqual(new Set(["F16"]));
  });

  it("keeps tied weights tied", async () => {
    const platform = memoryPlatform();
    const model = ReferenceModel.of([
      { name: "embed", dtype: "F32", shape: [2] },
      { name: "head", dtype: "F32", shape: [2], tiedTo: "embed" },
    ]);
    const source = new CheckpointContext({ model, platform, checkpoint: checkpointOf(valuesOf({ embed: [2] })) });
    const context = await new WeightsOnlyLoader({ strict: true }).process(source);
    const { metadata } = await new SaveSink({ path: "tied.safetensors" }).process(context);
    expect(metadata.saved).toMatchObject([{ tensors: 2, ties: 1 }]);
    await new SaveSink({ path: "tied.pt" }).process(context);
    const saved = ReferenceModel.like(await openUri(platform, "tied.pt"));
    expect(saved.ties()).toEqual([["embed", "head"]]);
    // The name that safetensors does not store comes back when the file is loaded.
    const again = new CheckpointContext({
      model: modelOf({ embed: [2], head: [2] }),
      checkpoint: await openUri(platform, "tied.safetensors"),
    });
    await expect(new WeightsOnlyLoader({ strict: true }).process(again)).resolves.toBeDefined();
  });

  it("writes what a warm start restored, optimizer and scheduler included", async () => {
    const platform = memoryPlatform();
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const model = ReferenceModel.like(checkpoint);
    const optimizer = new ReferenceOptimizer(model);
    const scheduler = new ReferenceScheduler(optimizer);
    const context = await new WarmStartLoader().process(new CheckpointContext({ checkpoint, model, optimizer, scheduler, platform }));
    await new SaveSink({ path: "resumed.ckpt", all: true }).process(context);
    const saved = await openUri(platform, "resumed.ckpt");
    expect(saved.layout).toBe("lightning");
    expect(saved.metadata).toMatchObject({ epoch: 5, global_step: 96, hyper_parameters: checkpoint.metadata.hyper_parameters as object });
    const rows = async (opened: typeof saved) => {
      const { tensors } = await scanCheckpoint(opened, { kernels: jsKernels() });
      return tensors.map(({ path, mean, std }) => [path, mean, std]).sort();
    };
    const given = await rows(checkpoint);
    expect(await rows(saved)).toEqual(given);
  });

  it("writes epoch and step 0 and nothing of the old training after a cold start", async () => {
    const platform = memoryPlatform();
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const context = await new ColdStartLoader().process(
      new CheckpointContext({ checkpoint, model: ReferenceModel.like(checkpoint), platform }),
    );
    await new SaveSink({ path: "cold.ckpt", all: true }).process(context);
    const saved = await openUri(platform, "cold.ckpt");
    expect(saved.metadata).toMatchObject({ epoch: 0, global_step: 0, hyper_parameters: { width: 32 } });
    for (const key of ["callbacks", "loops", "optimizer_states", "lr_schedulers"]) expect(getEntry(saved.tree, key)).toBeUndefined();
  });

  it("keeps the versions of modules beside a state dict of the same names", async () => {
    const platform = memoryPlatform();
    const checkpoint = await openFixture("lstm.pt");
    const context = await new WeightsOnlyLoader().process(
      new CheckpointContext({ checkpoint, model: ReferenceModel.like(checkpoint), platform }),
    );
    await new SaveSink({ path: "copy.pt" }).process(context);
    const { tree } = await openUri(platform, "copy.pt");
    expect(isNode(tree) && tree.kind === "map" && getEntry(tree.attributes, "_metadata")).toBeTruthy();
  });

  it("keeps metadata in the file when asked to: in the header of safetensors, in a record of torch archives", async () => {
    const platform = memoryPlatform();
    const context = (await loadedContext(platform)).withMetadata({ run: "r1", score: 0.5 });
    await new SaveSink({ path: "m.safetensors", metadata: true }).process(context);
    expect((await openUri(platform, "m.safetensors")).metadata).toMatchObject({ run: "r1", score: "0.5", format: "pt" });
    await new SaveSink({ path: "m.pt", metadata: { note: "größe" } }).process(context);
    const bytes = platform.files.get("m.pt") ?? new Uint8Array();
    const text = new TextDecoder().decode(bytes);
    expect(text).toContain("m/anemoi-metadata/anemoi.json");
    expect(text).toContain('{"note":"größe"}');
    expect(await weightsIn(platform, "m.pt")).toEqual(EXPECTED);
  });

  it("writes real values of a checkpoint unchanged", async () => {
    const platform = memoryPlatform();
    const checkpoint = await openFixture("conv-bn.pt");
    const context = await new WeightsOnlyLoader().process(
      new CheckpointContext({ checkpoint, model: ReferenceModel.like(checkpoint), platform }),
    );
    await new SaveSink({ path: "conv.safetensors" }).process(context);
    const saved = await openUri(platform, "conv.safetensors");
    for (const tensor of checkpoint.tensors.filter(({ group }) => group === "model")) {
      const copy = saved.tensors.find(({ name }) => name === tensor.name);
      expect(await bytesOfTensor(copy)).toEqual(await bytesOfTensor(tensor));
    }
  });
});

describe("the sink save refuses", () => {
  it("a name that does not say what to write, and shards of other formats", () => {
    expect(() => new SaveSink({ path: "model" })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    expect(() => new SaveSink({ path: "model.pt", maxShardBytes: 10 })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    expect(new SaveSink({ path: "model", format: "pytorch" }).options.format).toBe("pytorch");
  });

  it("to write over a file that it reads from", async () => {
    const platform = memoryPlatform();
    const context = (await loadedContext(platform)).with({ checkpointPath: "a.ckpt" });
    await expect(new SaveSink({ path: "a.ckpt" }).process(context)).rejects.toMatchObject({ code: "DESTINATION_EXISTS" });
    await expect(new SaveSink({ path: "in-memory.ckpt" }).process(context)).rejects.toMatchObject({ code: "DESTINATION_EXISTS" });
  });

  it("without a platform, without anything to write, and when globs choose nothing", async () => {
    const sink = new SaveSink({ path: "m.pt" });
    await expect(sink.process(new CheckpointContext())).rejects.toMatchObject({ code: "CONTEXT_INCOMPLETE" });
    await expect(sink.process(new CheckpointContext({ platform: memoryPlatform() }))).rejects.toMatchObject({ code: "CONTEXT_INCOMPLETE" });
    const nothing = new SaveSink({ path: "m.pt", include: ["nothing.*"] }).process(await loadedContext(memoryPlatform()));
    await expect(nothing).rejects.toMatchObject({ code: "NO_TENSORS" });
  });

  it("with the destination's own words, and shows nothing there", async () => {
    const denied = new CheckpointSourceError("ACCESS_DENIED", "m.pt could not be written: permission denied.", {
      suggestions: ["Check the rights."],
    });
    const platform = memoryPlatform({}, { "m.pt": denied });
    await expect(new SaveSink({ path: "m.pt" }).process(await loadedContext(platform))).rejects.toBe(denied);
  });

  it("to leave half a file when a tensor cannot be read, or the run is aborted", async () => {
    const unreadable = { ...tensorOf("F32", [2], () => 0), readInto: () => Promise.reject(new Error("gone")) };
    const files = async (context: CheckpointContext, platform: MemoryPlatform, signal?: AbortSignal) => {
      await expect(new SaveSink({ path: "m.safetensors" }).process(context, { signal })).rejects.toThrow(signal ? "enough" : "gone");
      return [...platform.files.keys()];
    };
    const platform = memoryPlatform();
    const checkpoint = checkpointOf(new Map([...valuesOf({ a: [2] }), ["b", unreadable]]));
    expect(await files(new CheckpointContext({ checkpoint, platform }), platform)).toEqual([]);
    expect(await files(await loadedContext(platform), platform, AbortSignal.abort(new Error("enough")))).toEqual([]);
  });

  it("nothing silently: what torch would not load is left out with a notice", async () => {
    const stage = noting();
    const checkpoint = checkpointOf(valuesOf({ w: [1] }), { epoch: 0, extra: { kind: "object", type: "my.Class" } });
    await new SaveSink({ path: "m.ckpt", all: true, of: "checkpoint" }).process(
      new CheckpointContext({ checkpoint, platform: memoryPlatform() }),
      stage,
    );
    expect(stage.notices).toEqual([expect.stringContaining("my.Class")]);
  });
});
