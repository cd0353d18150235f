import { CheckpointContext, CheckpointPipeline } from "@ckptkit/core/pipeline";
import { nodePlatform } from "@ckptkit/node";
import { fixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { WeightsOnlyLoader } from "../src/loading/weights-only.js";
import { ReferenceModel } from "../src/model/index.js";
import { FreezingModifier } from "../src/modifiers/freezing.js";
import { HttpSource } from "../src/sources/http.js";
import { LocalSource } from "../src/sources/local.js";
import { UriSource } from "../src/sources/uri.js";
import { memoryPlatform } from "./memory-platform.js";
import { expectTruth, SHARDED } from "./source-fixtures.js";

const FILE = "vit-tiny.ckpt";
const { path } = fixture(FILE);
const context = (checkpointPath?: string): CheckpointContext => new CheckpointContext({ platform: nodePlatform(), checkpointPath });

describe("sources that need not wait", () => {
  it.each([
    ["LocalSource", new LocalSource({ path })],
    ["UriSource", new UriSource({ uri: path })],
    ["UriSource of the context's path", new UriSource()],
  ])("open a checkpoint on this machine synchronously: %s", async (_, source) => {
    const next = source.processSync?.(context(path), {});
    expect(next?.metadata).toMatchObject({ source_type: "local", source_path: path });
    expect(next?.checkpointFormat).toBe("lightning");
    if (next?.checkpoint) await expectTruth(next.checkpoint, FILE);
  });

  it("open sharded checkpoints synchronously", async () => {
    const index = fixture(SHARDED[0] ?? "");
    const { checkpoint } = new LocalSource({ path: index.path }).processSync(context());
    expect(checkpoint?.tensors).toHaveLength(index.truth.tensors.length);
    if (checkpoint) await expectTruth(checkpoint, index.file);
  });

  it("run a whole pipeline synchronously, with a loader and a modifier, and tensors are read later", async () => {
    const opened = new LocalSource({ path }).processSync(context()).checkpoint;
    const weights = opened?.tensors.filter(({ group }) => group === "model") ?? [];
    const model = ReferenceModel.of(weights.map(({ name, dtype, shape }) => ({ name, dtype, shape })));
    await opened?.close();
    const [first = ""] = model.stateDict().keys();
    const submodule = first.split(".").slice(0, -1).join(".");
    const pipeline = new CheckpointPipeline([
      new LocalSource({ path }),
      new WeightsOnlyLoader({ strict: true }),
      new FreezingModifier({ submodulesToFreeze: [submodule] }),
    ]);
    const done = pipeline.executeSync(context().with({ model }));
    expect(done.metadata).toMatchObject({ source_type: "local", loading_strategy: "weights_only" });
    expect(model.weightsInitialized).toBe(true);
    const value = model.stateDict().get(first);
    const bytes = new Uint8Array(value?.byteLength ?? 0);
    await value?.readInto(bytes);
    const truth = fixture(FILE).truth.tensors.find(({ name, group }) => name === first && group === "model");
    const { createHash } = await import("node:crypto");
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(truth?.sha256);
    await done.checkpoint?.close();
  });

  it("tell similar files, as they do when they wait", () => {
    expect(() => new LocalSource({ path: path.replace("tiny", "tinny") }).processSync(context())).toThrow(
      expect.objectContaining({ code: "NOT_FOUND", suggestions: [expect.stringContaining(FILE)] }),
    );
  });

  it("are refused before anything runs where one of them must wait", () => {
    for (const source of [new HttpSource({ url: "https://example.org/a" }), new UriSource({ uri: "s3://bucket/key" })]) {
      const pipeline = new CheckpointPipeline([source]);
      expect(() => pipeline.executeSync(context())).toThrow(expect.objectContaining({ code: "STAGE_ASYNC_ONLY" }));
    }
    expect(() => new UriSource().processSync?.(context("s3://bucket/key"), {})).toThrow(
      expect.objectContaining({ code: "STAGE_ASYNC_ONLY" }),
    );
    const elsewhere = new CheckpointContext({ platform: memoryPlatform() });
    expect(() => new LocalSource({ path }).processSync(elsewhere)).toThrow(expect.objectContaining({ code: "STAGE_ASYNC_ONLY" }));
  });
});
