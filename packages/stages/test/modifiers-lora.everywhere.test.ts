import { type TensorData, TensorHandle } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { LoraModifier } from "../src/modifiers/lora.js";
import { addLowRank } from "../src/tensor-math/low-rank.js";
import { isFloatTensor } from "../src/tensor-math/numbers.js";
import {
  contextOf,
  filesPlatform,
  jsonFile,
  type LoraCase,
  lastModifier,
  loraCases,
  modelOf,
  numbersOf,
  openBytes,
  stageWithNotices,
  tensorsOf,
} from "./modifier-truth.js";
import { bytesOfTensor, tensorOf } from "./tensors.js";

const mergeable = loraCases.filter(({ case: name }) => name !== "lora-dora");
const caseOf = (name: string): LoraCase => {
  const found = loraCases.find((each) => each.case === name);
  if (!found) throw new Error(`no case ${name}`);
  return found;
};

/** A folder as PEFT writes it. */
async function adapterFiles({ adapter, config }: LoraCase, folder = "adapter") {
  const name = adapter.endsWith(".bin") ? "adapter_model.bin" : "adapter_model.safetensors";
  return { [`${folder}/${name}`]: await loadFixture(adapter), [`${folder}/adapter_config.json`]: jsonFile(config) };
}

async function merge(told: LoraCase, change: { config?: object; base?: Map<string, TensorData>; options?: object } = {}) {
  const model = modelOf(change.base ?? tensorsOf(told.base));
  const files = await adapterFiles({ ...told, config: { ...told.config, ...change.config } });
  const context = await new LoraModifier({ adapter: "adapter", ...change.options }).process(contextOf(model, files), {});
  return { model, context };
}

describe("LoraModifier", () => {
  it.each(mergeable)("merges as PEFT does: $case", async (told) => {
    const { model } = await merge(told);
    const before = tensorsOf(told.base);
    const after = tensorsOf(told.case);
    expect([...after.keys()].sort()).toEqual(told.changed);
    for (const [name, data] of model.stateDict()) {
      const expected = after.get(name) ?? before.get(name);
      expect([data.dtype, data.shape], name).toEqual([expected?.dtype, expected?.shape]);
      if (told.exact) expect(await bytesOfTensor(data), name).toEqual(await bytesOfTensor(expected));
      else {
        const [found, wanted] = [await numbersOf(data), await numbersOf(expected)];
        // Sums of five products of numbers below 2, whose order is the library's own: 8 roundings of float32 at the most.
        for (const [at, value] of found.entries())
          expect(Math.abs(value - (wanted[at] ?? Number.NaN)), `${name} ${at}`).toBeLessThan(8 * 2 ** -24 * 4);
      }
    }
  });

  it("gives the same bytes whatever part of a tensor is read", async () => {
    const { model } = await merge(caseOf("lora-kinds-bfloat16"));
    for (const name of ["embed.weight", "blocks.0.up.weight", "conv.weight"]) {
      const tensor = model.stateDict().get(name);
      const whole = await bytesOfTensor(tensor);
      for (const [start, end] of [
        [0, 2],
        [26, 28],
        [30, 94],
        [whole.length - 10, whole.length],
      ] as const) {
        const part = new Uint8Array(end - start);
        await tensor?.readInto(part, start);
        expect(part).toEqual(whole.subarray(start, end));
      }
      await expect(tensor?.readInto(new Uint8Array(2), 1)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(tensor?.readInto(new Uint8Array(2), whole.length)).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    }
  });

  it("adds long rows and many rows in tiles, exactly as by hand", async () => {
    // Longer than a block along one axis and longer than a tile (2^20 / rank) along the other. Small integers: every sum is exact.
    const [rank, long] = [64, 70_000];
    for (const shape of [
      [2, long],
      [long, 2],
    ] as const) {
      const [out, inputs] = shape;
      const a = tensorOf("F32", [rank, inputs], (index) => (index * 7) % 5);
      const b = tensorOf("F32", [out, rank], (index) => ((index * 3) % 7) - 3);
      const base = tensorOf("F32", shape, (index) => index % 11);
      if (!isFloatTensor(a) || !isFloatTensor(b) || !isFloatTensor(base)) throw new Error("not floats");
      const update = {
        left: { data: b, length: out, rankFirst: false },
        right: { data: a, length: inputs, rankFirst: true },
        rank,
        scale: 0.5,
        roundUpdate: false,
      };
      const found = await numbersOf(addLowRank(base, update, jsKernels(), {}));
      for (let at = 0; at < out * inputs; at += 997) {
        const [row, column] = [Math.floor(at / inputs), at % inputs];
        let sum = 0;
        for (let k = 0; k < rank; k++) sum += ((((row * rank + k) * 3) % 7) - 3) * (((k * inputs + column) * 7) % 5);
        expect(found[at]).toBe((at % 11) + 0.5 * sum);
      }
    }
  });

  it("reads nothing but the description until somebody reads the weights, and leaves the adapter to the context", async () => {
    const told = caseOf("lora-linear");
    const model = modelOf(tensorsOf(told.base));
    const platform = filesPlatform(await adapterFiles(told));
    const context = contextOf(model).with({ platform });
    const after = await new LoraModifier({ adapter: "adapter/adapter_model.safetensors" }).process(context, {});
    expect([...after.checkpoints.keys()]).toEqual(["adapter/adapter_model.safetensors"]);
    expect(lastModifier(after)).toMatchObject({
      type: "lora",
      adapter: "adapter/adapter_model.safetensors",
      merged_modules: [
        { name: "blocks.0.square", rank: 4, scaling: 2 },
        { name: "blocks.0.up", rank: 4, scaling: 2 },
        { name: "blocks.1.square", rank: 4, scaling: 2 },
        { name: "blocks.1.up", rank: 4, scaling: 2 },
        { name: "head", rank: 4, scaling: 2 },
      ],
      replaced_params: [],
    });
    for (const checkpoint of after.checkpoints.values()) await checkpoint.close();
    expect(platform.openFiles.size).toBe(0);
    await expect(bytesOfTensor(model.stateDict().get("blocks.0.norm.weight"))).resolves.toHaveLength(48);
  });

  it("takes an adapter that a source has opened, without waiting where its configuration is given", async () => {
    const told = caseOf("lora-linear");
    const model = modelOf(tensorsOf(told.base));
    const context = contextOf(model).withCheckpoint(await openBytes(await loadFixture(told.adapter), told.adapter), "tuned");
    expect(new LoraModifier({ adapter: "adapter", config: told.config }).processSync).toBeUndefined();
    new LoraModifier({ from: "tuned", config: told.config }).processSync?.(context, {});
    expect(await bytesOfTensor(model.stateDict().get("head.weight"))).toEqual(await bytesOfTensor(tensorsOf(told.case).get("head.weight")));
    await expect(new LoraModifier({ from: "other", config: told.config }).process(context, {})).rejects.toMatchObject({
      code: "CONTEXT_INCOMPLETE",
    });
  });

  it("changes every name of a tied weight, and tells so", async () => {
    const told = caseOf("lora-kinds");
    const base = tensorsOf(told.base);
    const embed = base.get("embed.weight");
    if (!embed) throw new Error("no embedding");
    const model = modelOf(base.set("lm_head.weight", embed), { "lm_head.weight": "embed.weight" });
    const stage = stageWithNotices();
    await new LoraModifier({ adapter: "adapter" }).process(contextOf(model, await adapterFiles(told)), stage);
    expect(model.ties()).toEqual([["embed.weight", "lm_head.weight"]]);
    expect(await bytesOfTensor(model.stateDict().get("lm_head.weight"))).toEqual(
      await bytesOfTensor(tensorsOf(told.case).get("embed.weight")),
    );
    expect(stage.notices).toMatchObject([{ level: "warning", message: expect.stringContaining("lm_head.weight") }]);
  });

  it("gives a saved module a tensor of its own where the model ties it", async () => {
    const told = caseOf("lora-saved");
    const base = tensorsOf(told.base);
    const head = base.get("head.weight");
    if (!head) throw new Error("no head");
    const model = modelOf(new Map([["shared.weight", head], ...base]), { "head.weight": "shared.weight" });
    await new LoraModifier({ adapter: "adapter" }).process(contextOf(model, await adapterFiles(told)), {});
    expect(model.ties()).toEqual([]);
    expect(await bytesOfTensor(model.stateDict().get("shared.weight"))).toEqual(await bytesOfTensor(head));
    expect(await bytesOfTensor(model.stateDict().get("head.weight"))).toEqual(await bytesOfTensor(tensorsOf(told.case).get("head.weight")));
  });
});

describe("LoraModifier refuses", () => {
  const unchanged = async (told: LoraCase, change: Parameters<typeof merge>[1], error: object) => {
    const base = change?.base ?? tensorsOf(told.base);
    await expect(merge(told, { ...change, base })).rejects.toMatchObject(error);
  };

  it("tensors that have no place in the model, naming them", async () => {
    const base = tensorsOf("net-float32");
    base.delete("blocks.1.up.weight");
    await unchanged(
      caseOf("lora-linear"),
      { base },
      {
        code: "INCOMPATIBLE",
        details: {
          unexpectedKeys: ["base_model.model.blocks.1.up.lora_A.weight", "base_model.model.blocks.1.up.lora_B.weight"],
          missingKeys: [],
          shapeMismatches: [],
        },
      },
    );
  });

  it("a factor without the other", async () => {
    const told = caseOf("lora-linear");
    const files = await adapterFiles(told);
    const model = modelOf(tensorsOf(told.base));
    const adapter = await openBytes(await loadFixture(told.adapter), "half");
    const half = { ...adapter, tensors: adapter.tensors.filter(({ name }) => !name.endsWith("head.lora_B.weight")) };
    await expect(
      new LoraModifier({ from: "half", config: told.config }).process(contextOf(model, files).withCheckpoint(half, "half"), {}),
    ).rejects.toMatchObject({ code: "INCOMPATIBLE", details: { missingKeys: ["base_model.model.head.lora_B.weight"] } });
  });

  it("factors of other shapes: another base model, another rank", async () => {
    const base = tensorsOf("net-float32");
    base.set(
      "head.weight",
      tensorOf("F32", [7, 12], () => 0),
    );
    await unchanged(
      caseOf("lora-linear"),
      { base },
      {
        code: "INCOMPATIBLE",
        details: { shapeMismatches: [{ name: "base_model.model.head.lora_B.weight", expected: [7, 4], found: [5, 4] }] },
      },
    );
    await unchanged(caseOf("lora-conv1d"), { config: { r: 5 } }, { code: "INCOMPATIBLE", details: { shapeMismatches: { length: 4 } } });
    const narrow = tensorsOf("net-float32");
    narrow.set(
      "head.weight",
      tensorOf("F32", [4, 12], () => 0),
    );
    await unchanged(
      caseOf("lora-saved"),
      { base: narrow },
      {
        code: "INCOMPATIBLE",
        details: { shapeMismatches: [{ name: "base_model.model.head.weight", expected: [4, 12], found: [5, 12] }] },
      },
    );
  });

  it("weights that were quantised", async () => {
    const base = tensorsOf("net-float32");
    const { length } = await bytesOfTensor(base.get("head.weight"));
    base.set("head.weight", { dtype: "I8", shape: [5, 12], byteLength: length / 4, readInto: async () => {} });
    await unchanged(caseOf("lora-linear"), { base }, { code: "UNSUPPORTED_DTYPE", details: { name: "head.weight", dtype: "I8" } });
  });

  it("DoRA, by its configuration and by its tensors", async () => {
    const dora = caseOf("lora-dora");
    await unchanged(dora, {}, { code: "ADAPTER_UNSUPPORTED", message: expect.stringContaining("DoRA") });
    await unchanged(dora, { config: { use_dora: false } }, { code: "ADAPTER_UNSUPPORTED", message: expect.stringContaining("DoRA") });
  });

  it.each([
    [{ peft_type: "IA3" }, "IA3"],
    [{ init_lora_weights: "pissa_niter_4" }, "pissa"],
    [{ alora_invocation_tokens: [1, 2] }, "alora"],
    [{ use_something_new: true }, "use_something_new"],
    [{ target_parameters: ["experts.gate"] }, "target_parameters"],
  ])("what is not plain LoRA: %o", async (config, words) => {
    await unchanged(caseOf("lora-linear"), { config }, { code: "ADAPTER_UNSUPPORTED", message: expect.stringContaining(words) });
  });

  it.each([{ peft_type: undefined }, { r: 0 }, { r: "8" }, { alpha_pattern: { "(?=x)": 2 } }, { rank_pattern: { "[a": 2 } }])(
    "a configuration that is malformed: %o",
    async (config) => {
      await unchanged(caseOf("lora-linear"), { config }, { code: "ADAPTER_CONFIG" });
    },
  );

  it("to guess which way round a square weight is stored, and takes the word of fanInFanOut", async () => {
    const told = caseOf("lora-conv1d");
    await unchanged(
      told,
      { config: { fan_in_fan_out: false } },
      { code: "INVALID_ARGUMENT", details: { square: ["c_proj"], contrary: "c_attn" } },
    );
    for (const fanInFanOut of [true, ["c_*"]]) {
      const { model } = await merge(told, { config: { fan_in_fan_out: false }, options: { fanInFanOut } });
      expect(await bytesOfTensor(model.stateDict().get("c_proj.weight"))).toEqual(
        await bytesOfTensor(tensorsOf(told.case).get("c_proj.weight")),
      );
    }
  });

  it("several adapters in one file, until one is named", async () => {
    const told = caseOf("lora-raw");
    const adapter = await openBytes(await loadFixture(told.adapter), "two");
    const second = adapter.tensors
      .filter(({ name }) => name.includes(".default"))
      .map(({ spec, keys, name, group }) => new TensorHandle(spec, { keys, name: name.replace(".default", ".other"), group }));
    const two = { ...adapter, tensors: [...adapter.tensors, ...second] };
    const run = (adapterName?: string) => {
      const model = modelOf(tensorsOf(told.base));
      const modifier = new LoraModifier({ from: "two", config: told.config, ...(adapterName !== undefined && { adapterName }) });
      return modifier.process(contextOf(model).withCheckpoint(two, "two"), {}).then(() => model);
    };
    await expect(run()).rejects.toMatchObject({ code: "INVALID_ARGUMENT", details: { names: ["default", "other"] } });
    await expect(run("third")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const model = await run("other");
    expect(await bytesOfTensor(model.stateDict().get("embed.weight"))).toEqual(
      await bytesOfTensor(tensorsOf(told.case).get("embed.weight")),
    );
  });

  it("adapters that are not there, configurations that are missing or not JSON, and closes what it opened", async () => {
    const told = caseOf("lora-linear");
    const files = await adapterFiles(told);
    const run = (given: Record<string, Uint8Array<ArrayBuffer>>) => {
      const platform = filesPlatform(given);
      const done = new LoraModifier({ adapter: "adapter" }).process(contextOf(modelOf(tensorsOf(told.base))).with({ platform }), {});
      return done.finally(() => expect(platform.openFiles.size).toBe(0));
    };
    await expect(run({})).rejects.toMatchObject({ code: "NOT_FOUND" });
    const { "adapter/adapter_config.json": config = jsonFile({}), ...weights } = files;
    await expect(run(weights)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(run({ "adapter/adapter_config.json": config })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(run({ ...files, "adapter/adapter_config.json": new TextEncoder().encode("{") })).rejects.toMatchObject({
      code: "ADAPTER_CONFIG",
    });
    await expect(run({ ...files, "adapter/adapter_config.json": jsonFile({ ...told.config, r: 3 }) })).rejects.toMatchObject({
      code: "INCOMPATIBLE",
    });
  });

  it("a model without weights, and options that contradict each other", async () => {
    const told = caseOf("lora-linear");
    const model = modelOf(tensorsOf(told.base));
    model.weightsInitialized = false;
    await expect(new LoraModifier({ adapter: "adapter" }).process(contextOf(model), {})).rejects.toMatchObject({
      code: "WEIGHTS_NOT_LOADED",
    });
    expect(() => new LoraModifier({})).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    expect(() => new LoraModifier({ adapter: "a", from: "b" })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});
