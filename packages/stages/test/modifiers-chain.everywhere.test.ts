import { CheckpointError, type Json, type TensorData } from "@ckptkit/core";
import { CheckpointPipeline } from "@ckptkit/core/pipeline";
import { loadFixture } from "@ckptkit/testkit/vite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAdapterConfig } from "../src/lora/adapter-config.js";
import { parseAdapterKeys } from "../src/lora/adapter-keys.js";
import { FreezingModifier } from "../src/modifiers/freezing.js";
import { LoraModifier } from "../src/modifiers/lora.js";
import { PruneModifier } from "../src/modifiers/prune.js";
import { QuantizeModifier } from "../src/modifiers/quantize.js";
import { contextOf, loraCases, modelOf, openBytes, tensorsOf } from "./modifier-truth.js";
import { bytesOfTensor, tensorOf } from "./tensors.js";

describe("modifiers one after another", () => {
  it("each work on what the one before makes, and are recorded in their order", async () => {
    const told = loraCases.find((each) => each.case === "lora-linear");
    if (!told) throw new Error("no case");
    const adapter = await openBytes(await loadFixture(told.adapter), told.adapter);
    const model = modelOf(tensorsOf(told.base));
    const changes = [new PruneModifier({ amount: 0.25, include: ["head.weight"] }), new QuantizeModifier({ include: ["head.weight"] })];
    const pipeline = new CheckpointPipeline([
      new LoraModifier({ from: "adapter", config: told.config }),
      ...changes,
      new FreezingModifier({ submodulesToFreeze: ["blocks"] }),
    ]);
    const context = await pipeline.execute(contextOf(model).withCheckpoint(adapter, "adapter"));
    expect(context.metadata.modifiers_applied).toMatchObject([
      { type: "lora" },
      { type: "prune" },
      { type: "quantize" },
      { type: "freezing" },
    ]);

    // The same two changes to the weight that PEFT has merged.
    const merged = modelOf(new Map([["head.weight", tensorsOf(told.case).get("head.weight") as TensorData]]));
    await new CheckpointPipeline(changes).execute(contextOf(merged));
    for (const name of ["head.weight", "head.weight_scale"]) {
      expect(await bytesOfTensor(model.stateDict().get(name))).toEqual(await bytesOfTensor(merged.stateDict().get(name)));
    }
  });
});

describe("adapters that nobody has written", () => {
  const coded = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      expect(error).toBeInstanceOf(CheckpointError);
      expect(error).not.toMatchObject({ code: "INTERNAL" });
    }
  };

  it("have a configuration that is taken or refused with a code", () => {
    const keys = [
      "peft_type",
      "r",
      "lora_alpha",
      "rank_pattern",
      "alpha_pattern",
      "modules_to_save",
      "init_lora_weights",
      "use_dora",
      "__proto__",
    ];
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom<Json>("LORA", 8, { "a.b": 3 }, { "(": 3 }, ["head"], true));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom(...keys), value)), (json) => {
        coded(() => parseAdapterConfig(json, "adapter").of("a.b"));
      }),
    );
  });

  it("have keys that are sorted or refused with a code, none of them lost", () => {
    const part = fc.constantFrom(
      "base_model",
      "model",
      "lora_A",
      "lora_B",
      "lora_embedding_A",
      "weight",
      "bias",
      "default",
      "base_layer",
      "modules_to_save",
      "h",
      "",
    );
    const key = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join("."));
    const tensor = tensorOf("F32", [1], () => 0);
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 4 }), (names) => {
        coded(() => {
          const { modules, replacements } = parseAdapterKeys(new Map(names.map((name) => [name, tensor])), undefined, "adapter");
          const found = [...modules.values()].flatMap(({ parts }) => [...parts.values()].map((each) => each.key));
          expect([...found, ...[...replacements.values()].map((each) => each.key)].sort()).toEqual([...names].sort());
        });
      }),
      { numRuns: 1000 },
    );
  });
});
