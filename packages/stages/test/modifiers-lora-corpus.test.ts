import { readFile } from "node:fs/promises";
import type { TensorData } from "@ckptkit/core";
import { corpus } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { LoraModifier } from "../src/modifiers/lora.js";
import { zerosTensor } from "../src/tensors/zeros.js";
import { contextOf, lastModifier, modelOf, openBytes } from "./modifier-truth.js";

const adapters = (corpus("safetensors", "torch-zip") ?? []).filter(({ truth }) =>
  truth.tensors.some(({ name }) => name.includes(".lora_A.")),
);

describe.skipIf(!corpus())("adapters of public projects", () => {
  it.each(adapters)("find their places in GPT-2: $repo", async ({ path, truth }) => {
    const adapter = await openBytes(new Uint8Array(await readFile(path)), path);
    // GPT-2's c_attn, stored as [in, out] = [768, 2304], and whatever else the adapter replaces.
    const weights = new Map<string, TensorData>();
    for (const { name, shape } of truth.tensors) {
      const plain = name.replace("base_model.model.", "");
      if (plain.includes(".lora_A.")) weights.set(plain.replace("lora_A.weight", "weight"), zerosTensor("F32", [768, 2304]));
      else if (!plain.includes(".lora_B.")) weights.set(plain, zerosTensor("F32", shape));
    }
    const model = modelOf(weights);
    const config = { peft_type: "LORA", r: 8, lora_alpha: 32, fan_in_fan_out: true, target_modules: ["c_attn"] };
    const context = await new LoraModifier({ from: "adapter", config }).process(contextOf(model).withCheckpoint(adapter, "adapter"), {});
    const record = lastModifier(context);
    expect(record.merged_modules).toHaveLength(truth.tensors.filter(({ name }) => name.includes(".lora_A.")).length);
    const first = [...weights.keys()].find((name) => name.endsWith("c_attn.weight")) ?? "";
    // Trained factors: the update is not zero, and finite.
    const values = new Float32Array(100_000);
    await model
      .stateDict()
      .get(first)
      ?.readInto(new Uint8Array(values.buffer), 4 * 2304 * 100);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values.some((value) => value !== 0)).toBe(true);
  });
});
