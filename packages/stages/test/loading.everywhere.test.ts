import { CheckpointIncompatibleError, type ObjectNode, type TensorData } from "@ckptkit/core";
import { CheckpointContext, CheckpointPipeline } from "@ckptkit/core/pipeline";
import { describe, expect, it } from "vitest";
import { AuditCheck } from "../src/checks/audit.js";
import { ValidateCheck } from "../src/checks/validate.js";
import { ColdStartLoader } from "../src/loading/cold-start.js";
import { TransferLearningLoader } from "../src/loading/transfer-learning.js";
import { WarmStartLoader } from "../src/loading/warm-start.js";
import { WeightsOnlyLoader } from "../src/loading/weights-only.js";
import { ReferenceModel, ReferenceOptimizer, ReferenceScheduler } from "../src/model/index.js";
import { FreezingModifier } from "../src/modifiers/freezing.js";
import { checkpointOf, listOf, mapOf, modelOf, noting, valuesOf } from "./checkpoints.js";
import { floats, tensorOf } from "./tensors.js";

const SHAPES = { "encoder.weight": [2, 3], "encoder.bias": [2], "head.weight": [4, 2] };

/** A context with a checkpoint of some shapes and a model of others. */
function contextOf(checkpointShapes: Record<string, number[]>, modelShapes: Record<string, number[]> = SHAPES): CheckpointContext {
  const model = modelOf(modelShapes);
  const optimizer = new ReferenceOptimizer(model);
  const scheduler = new ReferenceScheduler(optimizer);
  const rest = { epoch: 7, global_step: 700, "pytorch-lightning_version": "2.0.0" };
  return new CheckpointContext({ checkpoint: checkpointOf(valuesOf(checkpointShapes), rest), model, optimizer, scheduler });
}

const modelValue = (context: CheckpointContext, name: string): Promise<number[]> => floats(context.model?.stateDict().get(name));

describe("weights_only", () => {
  it("loads the weights, drops optimizer and scheduler and leaves epoch and step alone", async () => {
    const before = contextOf(SHAPES).withMetadata({ epoch: 3 });
    const after = await new WeightsOnlyLoader().process(before);
    expect(await modelValue(after, "encoder.bias")).toEqual([1000, 1001]);
    expect([after.optimizer, after.scheduler]).toEqual([undefined, undefined]);
    expect(after.metadata).toMatchObject({ epoch: 3, loading_strategy: "weights_only", weights_initialized: true });
    expect(after.metadata).not.toHaveProperty("global_step");
    expect(after.model?.weightsInitialized).toBe(true);
    expect(before.optimizer).toBeDefined();
  });

  it("tells missing and unexpected names, and refuses them when strict", async () => {
    const { "head.weight": _, ...fewer } = SHAPES;
    const context = contextOf({ ...fewer, "extra.weight": [1] });
    const { metadata } = await new WeightsOnlyLoader().process(context);
    expect(metadata).toMatchObject({ missing_keys: ["head.weight"], unexpected_keys: ["extra.weight"] });
    await expect(new WeightsOnlyLoader({ strict: true }).process(context)).rejects.toMatchObject({
      code: "INCOMPATIBLE",
      details: { missingKeys: ["head.weight"], unexpectedKeys: ["extra.weight"], shapeMismatches: [] },
    });
  });

  it("refuses another shape even when it is not strict, and changes nothing", async () => {
    const context = contextOf({ ...SHAPES, "head.weight": [4, 3] });
    await expect(new WeightsOnlyLoader().process(context)).rejects.toBeInstanceOf(CheckpointIncompatibleError);
    expect(context.model?.weightsInitialized).toBe(false);
    expect(await modelValue(context, "encoder.bias")).toEqual([0, 0]);
  });

  it("says which prefix stands in the way", async () => {
    const prefixed = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [`model.${name}`, shape]));
    const loader = new WeightsOnlyLoader({ strict: true });
    const lightning = await loader.process(contextOf(prefixed)).catch((error: unknown) => error);
    expect(lightning).toMatchObject({ suggestions: [expect.stringContaining('stripPrefix: "model."')] });
    const bare = await loader.process(contextOf(SHAPES, prefixed)).catch((error: unknown) => error);
    expect(bare).toMatchObject({ suggestions: [expect.stringContaining('into: "model"')] });
  });

  it("leaves a model in which nothing was loaded uninitialised, and says so", async () => {
    const stage = noting();
    const { model, metadata } = await new WeightsOnlyLoader().process(contextOf({ "other.weight": [1] }), stage);
    expect(model?.weightsInitialized).toBe(false);
    expect(metadata.weights_initialized).toBe(false);
    expect(stage.notices.join()).toContain("loaded nothing");
  });

  it("needs a model and a checkpoint", async () => {
    await expect(new WeightsOnlyLoader().process(new CheckpointContext())).rejects.toMatchObject({ code: "CONTEXT_INCOMPLETE" });
    await expect(new WeightsOnlyLoader({ from: "encoder" }).process(contextOf(SHAPES))).rejects.toMatchObject({
      code: "CONTEXT_INCOMPLETE",
      message: expect.stringContaining('"encoder"'),
    });
  });

  it("loads synchronously, and says so where a model's adapter cannot", () => {
    const context = contextOf(SHAPES);
    expect(new WeightsOnlyLoader().processSync(context).metadata.loading_strategy).toBe("weights_only");
    const asyncOnly = modelOf(SHAPES);
    Object.defineProperty(asyncOnly, "loadStateDictSync", { value: undefined });
    expect(() => new WeightsOnlyLoader().processSync(context.with({ model: asyncOnly }))).toThrow(
      expect.objectContaining({ code: "STAGE_ASYNC_ONLY" }),
    );
  });
});

describe("transfer_learning", () => {
  const other = { "encoder.weight": [2, 3], "head.weight": [8, 2], "old.weight": [1] };

  it("loads what fits by name and shape and tells why the rest was skipped", async () => {
    const context = contextOf(other);
    const after = await new TransferLearningLoader().process(context);
    expect(after.metadata).toMatchObject({
      loading_strategy: "transfer_learning",
      transferred_params: ["encoder.weight"],
      skipped_params: { "old.weight": "not in the model", "head.weight": "shape [8, 2] in the checkpoint, [4, 2] in the model" },
    });
    expect(await modelValue(after, "encoder.weight")).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await modelValue(after, "head.weight")).toEqual(new Array(8).fill(0));
    expect([after.optimizer, after.scheduler]).toEqual([undefined, undefined]);
  });

  it("never changes the checkpoint", async () => {
    const context = contextOf(other);
    const { checkpoint } = context;
    const before = checkpoint?.tensors.map(({ name, shape }) => [name, shape]);
    const after = await new TransferLearningLoader().process(context);
    expect(after.checkpoint).toBe(checkpoint);
    expect(checkpoint?.tensors.map(({ name, shape }) => [name, shape])).toEqual(before);
  });

  it("refuses other shapes with all of them when they are not to be skipped, but not names that the model lacks", async () => {
    const loader = new TransferLearningLoader({ skipMismatched: false });
    await expect(loader.process(contextOf(other))).rejects.toMatchObject({
      code: "INCOMPATIBLE",
      details: { shapeMismatches: [{ name: "head.weight", expected: [4, 2], found: [8, 2] }] },
    });
    await expect(loader.process(contextOf({ "encoder.weight": [2, 3], "old.weight": [1] }))).resolves.toBeDefined();
  });

  it("takes the names that Python configuration has", () => {
    const input: object = { skip_mismatched: false, refresh_prefixes: ["stats"] };
    expect(new TransferLearningLoader(input).options).toMatchObject({ skipMismatched: false, refreshPrefixes: ["stats"] });
  });
});

describe("cold_start", () => {
  it("loads the weights, sets epoch and step to 0 and records where they came from", async () => {
    const after = await new ColdStartLoader().process(contextOf(SHAPES).withMetadata({ epoch: 7, global_step: 700 }));
    expect(after.metadata).toMatchObject({ epoch: 0, global_step: 0, pretrained_from: "in-memory.ckpt", loading_strategy: "cold_start" });
    expect([after.optimizer, after.scheduler]).toEqual([undefined, undefined]);
    expect(await modelValue(after, "encoder.bias")).toEqual([1000, 1001]);
  });

  it("refuses what does not fit when strict", async () => {
    await expect(new ColdStartLoader({ strict: true }).process(contextOf({ "encoder.bias": [2] }))).rejects.toMatchObject({
      code: "INCOMPATIBLE",
    });
  });
});

describe("warm_start", () => {
  const state = (groupSize: number) =>
    mapOf({
      state: mapOf({}),
      param_groups: listOf(mapOf({ lr: 0.5, params: listOf(...Array.from({ length: groupSize }, (_, at) => at)) })),
    });

  const training = (rest: Parameters<typeof checkpointOf>[1]) => {
    const model = modelOf(SHAPES);
    const optimizer = new ReferenceOptimizer(model);
    const scheduler = new ReferenceScheduler(optimizer);
    return new CheckpointContext({ checkpoint: checkpointOf(valuesOf(SHAPES), rest), model, optimizer, scheduler });
  };

  it("restores weights, optimizer, scheduler and training state", async () => {
    const context = training({
      epoch: 7,
      global_step: 700,
      best_metric: 0.25,
      metrics_history: listOf(0.5, 0.25),
      optimizer_states: listOf(state(3)),
      lr_schedulers: listOf(mapOf({ last_epoch: 7, base_lrs: listOf(0.5) })),
    });
    const after = await new WarmStartLoader().process(context);
    expect(after.metadata).toMatchObject({
      epoch: 7,
      global_step: 700,
      best_metric: 0.25,
      metrics_history: [0.5, 0.25],
      loading_strategy: "warm_start",
    });
    expect(after.optimizer?.stateDict()).toEqual(state(3));
    expect(after.scheduler?.stateDict()).toEqual(mapOf({ last_epoch: 7, base_lrs: listOf(0.5) }));
  });

  it("warns when the checkpoint has no state for the optimizer or the scheduler", async () => {
    const stage = noting();
    await new WarmStartLoader().process(training({ epoch: 1 }), stage);
    expect(stage.notices).toEqual([expect.stringContaining("no optimizer state"), expect.stringContaining("no scheduler state")]);
  });

  it("refuses any difference of the weights", async () => {
    const context = training({ optimizer_states: listOf(state(3)) });
    const smaller = context.with({ model: modelOf({ "encoder.bias": [2] }) });
    await expect(new WarmStartLoader().process(smaller)).rejects.toMatchObject({
      code: "INCOMPATIBLE",
      details: { unexpectedKeys: ["encoder.weight", "head.weight"] },
    });
  });

  it("loads nothing at all when the optimizer or the scheduler does not fit", async () => {
    const bad = training({ optimizer_states: listOf(state(2)) });
    await expect(new WarmStartLoader().process(bad)).rejects.toMatchObject({ code: "INCOMPATIBLE" });
    expect(await modelValue(bad, "encoder.bias")).toEqual([0, 0]);
    const worse = training({ optimizer_states: listOf(state(3)), lr_schedulers: listOf(mapOf({ base_lrs: listOf(1, 2) })) });
    const before = worse.optimizer?.stateDict();
    await expect(new WarmStartLoader().process(worse)).rejects.toMatchObject({ code: "INCOMPATIBLE" });
    expect(worse.optimizer?.stateDict()).toEqual(before);
    expect(worse.model?.weightsInitialized).toBe(false);
  });

  it("takes the optimizer's state back when the model then refuses the weights", async () => {
    const context = training({ optimizer_states: listOf(state(3)) });
    const before = context.optimizer?.stateDict();
    const model = context.model as ReferenceModel;
    model.loadStateDict = () => Promise.reject(new Error("the device is gone"));
    await expect(new WarmStartLoader().process(context)).rejects.toThrow("the device is gone");
    expect(context.optimizer?.stateDict()).toEqual(before);
  });
});

describe("every loading strategy", () => {
  it("recognises legacy names and applies declared migrations before it compares", async () => {
    const context = contextOf({ "module.net.weight": [2, 3], "module.net.bias": [2], "module.head.kernel": [2, 4] });
    const after = await new WeightsOnlyLoader({
      strict: true,
      migrations: [{ rename: { net: "encoder" } }, { transpose: "head.kernel" }, { rename: { "head.kernel": "head.weight" } }],
    }).process(context);
    expect(await modelValue(after, "head.weight")).toEqual([2000, 2004, 2001, 2005, 2002, 2006, 2003, 2007]);
    expect(after.metadata.loads).toMatchObject([
      {
        strategy: "weights_only",
        loaded: 3,
        legacy_layouts: ["data_parallel"],
        migrations: [
          { type: "rename", matched: 2 },
          { type: "transpose", matched: 1 },
          { type: "rename", matched: 1 },
        ],
      },
    ]);
  });

  it("takes legacy names literally when told so", async () => {
    const context = contextOf({ "module.encoder.bias": [2] });
    const { metadata } = await new TransferLearningLoader({ legacyLayouts: false }).process(context);
    expect(metadata.transferred_params).toEqual([]);
  });

  it("tells of migrations that matched nothing", async () => {
    const stage = noting();
    await new WeightsOnlyLoader({ migrations: [{ drop: "nothing.*" }] }).process(contextOf(SHAPES), stage);
    expect(stage.notices).toEqual([expect.stringContaining("drop matched no tensor")]);
  });

  it("chooses by globs of the checkpoint's names", async () => {
    const { metadata } = await new TransferLearningLoader({ include: ["encoder.*", "head.*"], exclude: ["*.bias"] }).process(
      contextOf(SHAPES),
    );
    expect(metadata.transferred_params).toEqual(["encoder.weight", "head.weight"]);
  });

  it("loads sub-modules of one model from several checkpoints: encoder from A, decoder from B", async () => {
    const a = checkpointOf(valuesOf({ "backbone.weight": [2], "backbone.bias": [1], "other.weight": [5] }), undefined, "a.pt");
    const b = checkpointOf(valuesOf({ weight: [3] }, 500), undefined, "b.pt");
    const model = modelOf({ "encoder.weight": [2], "encoder.bias": [1], "decoder.weight": [3], "head.weight": [1] });
    const context = new CheckpointContext({ model }).withCheckpoint(a, "A").withCheckpoint(b, "B");
    const first = await new WeightsOnlyLoader({ from: "A", submodule: "backbone", into: "encoder", strict: true }).process(context);
    const second = await new WeightsOnlyLoader({ from: "B", into: "decoder", strict: true }).process(first);
    expect(await modelValue(second, "encoder.weight")).toEqual([0, 1]);
    expect(await modelValue(second, "decoder.weight")).toEqual([500, 501, 502]);
    expect(await modelValue(second, "head.weight")).toEqual([0]);
    expect(second.metadata.loads).toMatchObject([
      { checkpoint: "a.pt", into: "encoder", loaded: 2 },
      { checkpoint: "b.pt", into: "decoder", loaded: 1 },
    ]);
    await expect(new WeightsOnlyLoader({ from: "A", into: "encodr" }).process(context)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      suggestions: [expect.stringContaining("encoder, decoder, head")],
    });
  });

  it("is strict only about the module that it loads into", async () => {
    const model = modelOf({ "encoder.weight": [2], "encoder.bias": [1], "decoder.weight": [3] });
    const checkpoint = checkpointOf(valuesOf({ weight: [2] }));
    const load = new WeightsOnlyLoader({ into: "encoder", strict: true }).process(new CheckpointContext({ model, checkpoint }));
    await expect(load).rejects.toMatchObject({ details: { missingKeys: ["encoder.bias"], unexpectedKeys: [] } });
  });

  it("keeps the model's own values under refreshed prefixes, whatever the checkpoint has there", async () => {
    const model = modelOf({ "stats.mean": [2], "encoder.weight": [2] });
    await model.loadStateDict(valuesOf({ "stats.mean": [2], "encoder.weight": [2] }, 7), { strict: true });
    const checkpoint = checkpointOf(valuesOf({ "stats.mean": [5], "stats.old": [1], "encoder.weight": [2] }, 90));
    const context = new CheckpointContext({ model, checkpoint });
    const after = await new WeightsOnlyLoader({ refreshPrefixes: ["stats"], strict: true }).process(context);
    expect(await modelValue(after, "stats.mean")).toEqual([7, 8]);
    expect(await modelValue(after, "encoder.weight")).toEqual([2090, 2091]);
    expect(after.metadata.loads).toMatchObject([{ loaded: 1, refreshed_params: ["stats.mean"] }]);
  });

  it("keeps tied weights tied, and needs only one of their names", async () => {
    const model = ReferenceModel.of([
      { name: "embed.weight", dtype: "F32", shape: [2] },
      { name: "head.weight", dtype: "F32", shape: [2], tiedTo: "embed.weight" },
    ]);
    const context = new CheckpointContext({ model, checkpoint: checkpointOf(valuesOf({ "head.weight": [2] })) });
    const after = await new WeightsOnlyLoader({ strict: true }).process(context);
    expect(after.model?.ties()).toEqual([["embed.weight", "head.weight"]]);
    expect(await modelValue(after, "embed.weight")).toEqual([0, 1]);
  });

  it("warns when tied names have different tensors in the checkpoint", async () => {
    const model = ReferenceModel.of([
      { name: "embed.weight", dtype: "F32", shape: [2] },
      { name: "head.weight", dtype: "F32", shape: [2], tiedTo: "embed.weight" },
    ]);
    const stage = noting();
    const checkpoint = checkpointOf(valuesOf({ "embed.weight": [2], "head.weight": [2] }));
    await new WeightsOnlyLoader().process(new CheckpointContext({ model, checkpoint }), stage);
    expect(stage.notices).toEqual([expect.stringContaining("embed.weight and head.weight are one tensor in the model")]);
  });

  it("leaves the counter of batch norms that are older than it at the model's own", async () => {
    const model = ReferenceModel.of([
      { name: "bn.running_mean", dtype: "F32", shape: [2], kind: "buffer" },
      { name: "bn.num_batches_tracked", dtype: "I64", shape: [], kind: "buffer" },
    ]);
    const context = new CheckpointContext({ model, checkpoint: checkpointOf(valuesOf({ "bn.running_mean": [2] })) });
    await expect(new WeightsOnlyLoader({ strict: true }).process(context)).resolves.toBeDefined();
  });

  it("restores the map from names to indices that the hyper-parameters hold", async () => {
    const indices = mapOf({ t2m: 0, z500: 1 });
    const type = "anemoi.models.data_indices.collection.IndexCollection";
    const collection: ObjectNode = { kind: "object", type, attributes: mapOf({ name_to_index: indices }) };
    const rest = { hyper_parameters: mapOf({ lr: 0.1, data_indices: collection }) };
    const context = new CheckpointContext({ model: modelOf(SHAPES), checkpoint: checkpointOf(valuesOf(SHAPES), rest) });
    const { metadata } = await new WeightsOnlyLoader().process(context);
    expect(metadata.name_to_index).toEqual({ t2m: 0, z500: 1 });
  });

  it("reads no value while it loads", async () => {
    const unreadable: TensorData = { ...tensorOf("F32", [2], () => 0), readInto: () => Promise.reject(new Error("was read")) };
    const context = new CheckpointContext({ model: modelOf({ w: [2] }), checkpoint: checkpointOf(new Map([["w", unreadable]])) });
    for (const loader of [new WeightsOnlyLoader(), new TransferLearningLoader(), new ColdStartLoader(), new WarmStartLoader()]) {
      await expect(loader.process(context)).resolves.toBeDefined();
    }
  });

  it("stops when it is aborted before it begins", async () => {
    const context = contextOf(SHAPES);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(new WeightsOnlyLoader().process(context, { signal })).rejects.toThrow("enough");
    expect(context.model?.weightsInitialized).toBe(false);
  });
});

describe("a pipeline without waiting", () => {
  it("checks, loads and modifies a context that brings its checkpoint", () => {
    const stages = [
      new ValidateCheck(),
      new AuditCheck(),
      new WarmStartLoader(),
      new FreezingModifier({ submodulesToFreeze: ["encoder"] }),
    ];
    const { metadata, model } = new CheckpointPipeline(stages).executeSync(contextOf(SHAPES));
    expect(metadata).toMatchObject({ stage_3_FreezingModifier: "completed", loading_strategy: "warm_start", global_step: 700 });
    expect(model?.namedParameters().map(({ requiresGrad }) => requiresGrad)).toEqual([false, false, true]);
  });
});
