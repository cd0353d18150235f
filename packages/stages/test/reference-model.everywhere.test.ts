import { CheckpointIncompatibleError, memorySource, type TensorData } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { ReferenceModel } from "../src/model/index.js";
import { castTensor } from "../src/tensors/cast.js";
import { bytesOfTensor, floats, tensorOf } from "./tensors.js";

const open = async (file: string) => openCheckpoint(memorySource(await loadFixture(file), file));

const small = () =>
  ReferenceModel.of(
    [
      { name: "encoder.embed.weight", dtype: "F32", shape: [4, 2] },
      { name: "encoder.norm.running_mean", dtype: "F32", shape: [2], kind: "buffer" },
      { name: "head.weight", dtype: "F32", shape: [4, 2], tiedTo: "encoder.embed.weight" },
      { name: "head.bias", dtype: "F32", shape: [4] },
    ],
    { modules: ["encoder.act"] },
  );

const valuesFor = (model: ReferenceModel): Map<string, TensorData> =>
  new Map([...model.stateDict()].map(([name, { shape }], at) => [name, tensorOf("F32", shape, (index) => at * 100 + index)]));

describe("ReferenceModel", () => {
  it("lists parameters and buffers in order, with zeros for values until it is loaded", async () => {
    const model = small();
    expect([...model.stateDict().keys()]).toEqual(["encoder.embed.weight", "encoder.norm.running_mean", "head.weight", "head.bias"]);
    expect(await floats(model.stateDict().get("head.bias"))).toEqual([0, 0, 0, 0]);
    expect(model.weightsInitialized).toBe(false);
  });

  it("names a tied parameter once, buffers not at all", () => {
    expect(small().namedParameters()).toEqual([
      { name: "encoder.embed.weight", dtype: "F32", shape: [4, 2], requiresGrad: true },
      { name: "head.bias", dtype: "F32", shape: [4], requiresGrad: true },
    ]);
    expect(small().ties()).toEqual([["encoder.embed.weight", "head.weight"]]);
  });

  it("finds modules by their full path only, those without parameters as well", () => {
    const model = small();
    expect(model.submodule("encoder.norm")?.parameters()).toEqual([]);
    expect(model.submodule("encoder.act")?.path).toBe("encoder.act");
    expect(
      model
        .submodule("encoder")
        ?.parameters()
        .map(({ name }) => name),
    ).toEqual(["encoder.embed.weight"]);
    expect(model.submodule("")?.parameters()).toHaveLength(2);
    expect(model.submodule("norm")).toBeUndefined();
    expect(model.submodule("encoder.emb")).toBeUndefined();
    expect(model.submodule("head.bias")).toBeUndefined();
  });

  it("freezes and thaws a subtree and counts what changed, tied parameters once", () => {
    const model = small();
    expect(model.setRequiresGrad("encoder", false)).toBe(1);
    expect(model.setRequiresGrad("encoder", false)).toBe(0);
    expect(model.namedParameters().map(({ requiresGrad }) => requiresGrad)).toEqual([false, true]);
    expect(model.setRequiresGrad("", true)).toBe(1);
    expect(model.setRequiresGrad("nowhere", false)).toBe(0);
  });

  it("reads nothing of what it loads until somebody reads its values", async () => {
    const model = ReferenceModel.of([{ name: "w", dtype: "F32", shape: [2] }]);
    let reads = 0;
    const inner = tensorOf("F32", [2], (index) => index + 1);
    const counted: TensorData = {
      ...inner,
      readInto: (target, start, options) => {
        reads++;
        return inner.readInto(target, start, options);
      },
    };
    await model.loadStateDict(new Map([["w", counted]]), { strict: true });
    expect(reads).toBe(0);
    expect(await floats(model.stateDict().get("w"))).toEqual([1, 2]);
    expect(reads).toBe(1);
  });

  it("tells what was missing and unexpected when it is not strict", async () => {
    const model = small();
    const values = valuesFor(model);
    values.delete("head.bias");
    values.set(
      "extra",
      tensorOf("F32", [1], () => 0),
    );
    expect(await model.loadStateDict(values, { strict: false })).toEqual({ missingKeys: ["head.bias"], unexpectedKeys: ["extra"] });
    expect(await floats(model.stateDict().get("encoder.norm.running_mean"))).toEqual([100, 101]);
  });

  it("gives a tied tensor the value of its last name, as torch does", async () => {
    const model = small();
    await model.loadStateDict(valuesFor(model), { strict: true });
    expect(await floats(model.stateDict().get("encoder.embed.weight"))).toEqual([200, 201, 202, 203, 204, 205, 206, 207]);
    expect(model.stateDict().get("encoder.embed.weight")).toBe(model.stateDict().get("head.weight"));
  });

  it.each([true, false])("refuses another shape and changes nothing (strict: %s)", async (strict) => {
    const model = small();
    const values = valuesFor(model);
    values.set(
      "head.bias",
      tensorOf("F32", [5], () => 7),
    );
    const error: unknown = await model.loadStateDict(values, { strict }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CheckpointIncompatibleError);
    expect(error).toMatchObject({
      code: "INCOMPATIBLE",
      details: { missingKeys: [], unexpectedKeys: [], shapeMismatches: [{ name: "head.bias", expected: [4], found: [5] }] },
    });
    expect(await floats(model.stateDict().get("encoder.norm.running_mean"))).toEqual([0, 0]);
  });

  it("shows the first five of each kind of difference, and all of them in the details", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `layers.${index}.weight`);
    const model = ReferenceModel.of(names.map((name) => ({ name, dtype: "F32", shape: [1] })));
    const error = await model.loadStateDict(new Map(), { strict: true }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ details: { missingKeys: names } });
    expect(String(error)).toContain("layers.4.weight and 3 more");
    expect(String(error)).not.toContain("layers.5.weight");
  });

  it("converts what it loads to its own dtypes, as torch does", async () => {
    const model = ReferenceModel.of([
      { name: "w", dtype: "F32", shape: [3] },
      { name: "mask", dtype: "BOOL", shape: [3], kind: "buffer" },
    ]);
    const half = castTensor(
      tensorOf("F32", [3], (index) => index / 4),
      "F16",
    );
    const bytes = tensorOf("U8", [3], (index) => index);
    await model.loadStateDict(
      new Map([
        ["w", half as TensorData],
        ["mask", bytes],
      ]),
      { strict: true },
    );
    expect(await floats(model.stateDict().get("w"))).toEqual([0, 0.25, 0.5]);
    expect([...(await bytesOfTensor(model.stateDict().get("mask")))]).toEqual([0, 1, 1]);
    await expect(model.loadStateDict(new Map([["w", bytes]]), { strict: false })).rejects.toMatchObject({
      details: { dtypeMismatches: [{ name: "w", expected: "F32", found: "U8" }] },
    });
  });

  it("takes scalars that old versions of torch saved with the shape [1]", async () => {
    const model = ReferenceModel.of([{ name: "steps", dtype: "F32", shape: [] }]);
    await model.loadStateDict(new Map([["steps", tensorOf("F32", [1], () => 3)]]), { strict: true });
    expect(model.stateDict().get("steps")?.shape).toEqual([]);
    expect(await floats(model.stateDict().get("steps"))).toEqual([3]);
  });

  it("keeps a tie when one of its names gets another tensor, or all the same one, and unties them otherwise", () => {
    const one = tensorOf("F64", [1], () => 1);
    const other = tensorOf("F64", [1], () => 2);
    const model = small();
    model.replaceTensors(new Map([["head.weight", one]]));
    expect(model.stateDict().get("encoder.embed.weight")).toBe(one);
    model.replaceTensors(
      new Map([
        ["head.weight", other],
        ["encoder.embed.weight", other],
      ]),
    );
    expect(model.ties()).toHaveLength(1);
    model.replaceTensors(
      new Map([
        ["head.weight", one],
        ["encoder.embed.weight", other],
      ]),
    );
    expect(model.ties()).toEqual([]);
    expect([model.stateDict().get("head.weight"), model.stateDict().get("encoder.embed.weight")]).toEqual([one, other]);
  });

  it("adds and removes tensors, and a replaced parameter stays frozen", () => {
    const model = small();
    model.setRequiresGrad("encoder", false);
    model.replaceTensors(
      new Map([
        ["encoder.embed.weight", tensorOf("F64", [8], () => 0)],
        ["encoder.lora.a", tensorOf("F32", [1], () => 0)],
        ["head.bias", null],
      ]),
    );
    expect(model.namedParameters()).toEqual([
      { name: "encoder.embed.weight", dtype: "F64", shape: [8], requiresGrad: false },
      { name: "encoder.lora.a", dtype: "F32", shape: [1], requiresGrad: true },
    ]);
    expect(model.submodule("encoder.lora")).toBeDefined();
  });

  it("refuses entries that contradict each other", () => {
    const entry = { name: "a", dtype: "F32", shape: [1] };
    const cases = [[entry, entry], [{ ...entry, tiedTo: "b" }], [entry, { ...entry, name: "b", shape: [2], tiedTo: "a" }]];
    for (const entries of cases) expect(() => ReferenceModel.of(entries)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    expect(() => ReferenceModel.of([{ ...entry, dtype: "F31" }])).toThrow(expect.objectContaining({ code: "UNSUPPORTED_DTYPE" }));
  });
});

describe("ReferenceModel.like", () => {
  it("has the names, dtypes and shapes of a checkpoint's weights, and knows buffers", async () => {
    const checkpoint = await open("conv-bn.pt");
    const model = ReferenceModel.like(checkpoint);
    const weights = checkpoint.tensors.filter(({ group }) => group === "model");
    expect([...model.stateDict()].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))).toEqual(
      weights.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    );
    // As named_parameters() of the ConvNet in fixtures/generate/trained.py.
    expect(model.namedParameters().map(({ name }) => name)).toEqual([
      ...["conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight", "bn2.bias", "fc.weight", "fc.bias"],
    ]);
  });

  it("ties what shares a storage", async () => {
    const model = ReferenceModel.like(await open("ties.pt"));
    for (const group of model.ties()) expect(new Set(group.map((name) => model.stateDict().get(name))).size).toBe(1);
    expect(model.ties().length).toBeGreaterThan(0);
  });

  it("knows the modules of a whole pickled model", async () => {
    const model = ReferenceModel.like(await open("whole-module.pt"));
    expect(
      model
        .submodule("bn1")
        ?.parameters()
        .map(({ name }) => name),
    ).toEqual(["bn1.weight", "bn1.bias"]);
  });

  it("says what was looked for in a checkpoint without weights", async () => {
    const checkpoint = await open("tensor-list.pt");
    expect(() => ReferenceModel.like(checkpoint)).toThrow(expect.objectContaining({ code: "NO_STATE_DICT" }));
  });
});
