import type { TensorData } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { renameModernised, unwrapNames } from "../src/migrations/legacy-layouts.js";
import { migrate } from "../src/migrations/migrate.js";
import { floats, tensorOf } from "./tensors.js";

const state = (...names: string[]): Map<string, TensorData> =>
  new Map(names.map((name, at) => [name, tensorOf("F32", [2, 2], (index) => 10 * at + index)]));

const namesOf = (values: ReadonlyMap<string, TensorData>): string[] => [...values.keys()];

describe("migrations", () => {
  it("rename tensors and whole modules by their full paths, the longest path first", () => {
    const { values, reports } = migrate(state("enc.fc.weight", "enc.fc.bias", "enc.norm.weight", "encoder2.w"), [
      { rename: { enc: "encoder", "enc.fc": "encoder.dense", "enc.fc.bias": "encoder.offset" } },
    ]);
    expect(namesOf(values)).toEqual(["encoder.dense.weight", "encoder.offset", "encoder.norm.weight", "encoder2.w"]);
    expect(reports).toEqual([{ type: "rename", matched: 3 }]);
  });

  it("swap two modules in one step", () => {
    expect(namesOf(migrate(state("a.w", "b.w"), [{ rename: { a: "b", b: "a" } }]).values)).toEqual(["b.w", "a.w"]);
  });

  it("add and strip prefixes, with or without the dot", () => {
    expect(namesOf(migrate(state("model.a", "other"), [{ stripPrefix: "model" }, { addPrefix: "net." }]).values)).toEqual([
      "net.a",
      "net.other",
    ]);
    expect(namesOf(migrate(state("models.a"), [{ stripPrefix: "model." }]).values)).toEqual(["models.a"]);
  });

  it("replace by regular expressions with captures", () => {
    const { values } = migrate(state("layers.0.attn.w", "layers.11.attn.w"), [
      { regex: String.raw`^layers\.(\d+)\.attn\.`, replace: "blocks.$1.attention." },
    ]);
    expect(namesOf(values)).toEqual(["blocks.0.attention.w", "blocks.11.attention.w"]);
  });

  it("split a fused tensor into equal parts or parts of given sizes, and merging them gives it back", async () => {
    const fused = new Map([["block.qkv.weight", tensorOf("F32", [6, 2], (index) => index)]]);
    const { values: parts } = migrate(fused, [
      { split: String.raw`(.*)\.qkv\.(weight|bias)`, into: ["$1.q.$2", "$1.k.$2", "$1.v.$2"], axis: 0 },
    ]);
    expect(namesOf(parts)).toEqual(["block.q.weight", "block.k.weight", "block.v.weight"]);
    expect(await floats(parts.get("block.k.weight"))).toEqual([4, 5, 6, 7]);
    const { values: whole, reports } = migrate(parts, [
      { merge: [String.raw`(.*)\.q\.(\w+)`, String.raw`(.*)\.k\.(\w+)`, String.raw`(.*)\.v\.(\w+)`], into: "$1.qkv.$2", axis: 0 },
    ]);
    expect(namesOf(whole)).toEqual(["block.qkv.weight"]);
    expect(reports[0]?.matched).toBe(3);
    expect(await floats(whole.get("block.qkv.weight"))).toEqual(await floats(fused.get("block.qkv.weight")));
    const { values: uneven } = migrate(fused, [{ split: "(.*).qkv.weight", into: ["$1.a", "$1.b"], axis: 1, sizes: [2, 0] }]);
    expect([...uneven.values()].map(({ shape }) => shape)).toEqual([
      [6, 2],
      [6, 0],
    ]);
  });

  it("transpose and drop by globs", async () => {
    const { values } = migrate(state("a.weight", "a.bias", "b.weight"), [{ transpose: "*.weight" }, { drop: "b.*" }]);
    expect(namesOf(values)).toEqual(["a.weight", "a.bias"]);
    expect(await floats(values.get("a.weight"))).toEqual([0, 2, 1, 3]);
    expect(await floats(values.get("a.bias"))).toEqual([10, 11, 12, 13]);
  });

  it("read nothing until somebody reads their result", () => {
    const unreadable: TensorData = { ...tensorOf("F32", [4, 2], () => 0), readInto: () => Promise.reject(new Error("was read")) };
    const { values } = migrate(new Map([["w", unreadable]]), [
      { split: "w", into: ["a", "b"], axis: 0 },
      { transpose: "a" },
      { merge: ["a", "b"], into: "c", axis: 1 },
    ]);
    expect([...values].map(([name, { shape }]) => [name, shape])).toEqual([["c", [2, 4]]]);
  });

  it.each([
    ["parts that are not equal", [{ split: "a", into: ["x", "y", "z"], axis: 0 }]],
    ["an axis that is not there", [{ split: "a", into: ["x", "y"], axis: 2 }]],
    ["sizes that do not add up", [{ split: "a", into: ["x", "y"], axis: 0, sizes: [1, 2] }]],
    ["a part that is missing", [{ merge: ["a", "z"], into: "w", axis: 0 }]],
    ["two tensors for one part", [{ merge: ["[ab]", "z"], into: "w", axis: 0 }]],
    ["axes that are not the tensor's", [{ transpose: "a", axes: [0, 0] }]],
  ] satisfies [string, Parameters<typeof migrate>[1]][])("refuse %s", (_, migrations) => {
    expect(() => migrate(state("a", "b"), migrations)).toThrow(expect.objectContaining({ code: "MIGRATION_FAILED" }));
  });

  it("refuse to give two tensors one name", () => {
    expect(() => migrate(state("a", "b"), [{ rename: { a: "b" } }])).toThrow(expect.objectContaining({ code: "NAME_CONFLICT" }));
  });

  it("report what matched nothing", () => {
    expect(migrate(state("a"), [{ drop: "z" }, { rename: { z: "y" } }]).reports.map(({ matched }) => matched)).toEqual([0, 0]);
  });
});

describe("legacy names", () => {
  it("lose the wrappers of torch.compile, DDP, FSDP and activation checkpointing, also several at once", () => {
    const { values, found } = unwrapNames(
      state("module._orig_mod.a.weight", "module._orig_mod._fsdp_wrapped_module.b._checkpoint_wrapped_module.weight"),
      ["a.weight", "b.weight"],
    );
    expect(namesOf(values)).toEqual(["a.weight", "b.weight"]);
    expect(found).toEqual(["torch_compile", "fsdp", "activation_checkpointing", "data_parallel"]);
  });

  it("stay as they are where the model has them too, or not all names have the prefix of DDP", () => {
    expect(unwrapNames(state("module.a"), ["module.a"]).found).toEqual([]);
    expect(unwrapNames(state("module.a", "b"), ["module.a", "b"]).found).toEqual([]);
    expect(unwrapNames(state("a._orig_mod.w"), ["a._orig_mod.w"]).found).toEqual([]);
  });

  it("stay as they are where the wrapped and the plain name would be one", () => {
    expect(unwrapNames(state("_orig_mod.a", "a"), ["a"]).found).toEqual([]);
  });

  it("of modernised modules become what the model has: weight norm, and gamma and beta of layer norms", () => {
    const model = new Set([
      "conv.parametrizations.weight.original0",
      "conv.parametrizations.weight.original1",
      "norm.weight",
      "norm.bias",
      "x_g",
    ]);
    const { values, found } = renameModernised(state("conv.weight_g", "conv.weight_v", "norm.gamma", "norm.beta", "x_g", "y_g"), model);
    expect(namesOf(values)).toEqual([...model, "y_g"]);
    expect(found).toEqual(["weight_norm", "gamma_beta"]);
  });
});
