import type { Progress, TensorData } from "@ckptkit/core";
import { jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { QuantizeModifier } from "../src/modifiers/quantize.js";
import { contextOf, lastModifier, modelOf, numbersOf, quantizeCases, tensorsOf } from "./modifier-truth.js";
import { bytesOfTensor, floats, tensorOf } from "./tensors.js";

const quantize = async (tensors: Map<string, TensorData>, options: ConstructorParameters<typeof QuantizeModifier>[0], ties = {}) => {
  const model = modelOf(tensors, ties);
  const context = await new QuantizeModifier(options).process(contextOf(model), {});
  return { model, context, state: model.stateDict() };
};

describe("QuantizeModifier to I8", () => {
  it.each(quantizeCases)("gives the integers of torch: $case", async ({ case: name, base, scheme, axis, qmin, qmax, tensors }) => {
    const { state, context } = await quantize(tensorsOf(base), { scheme, qmin, qmax, ...(axis !== null && { axis }) });
    const truth = tensorsOf(name);
    for (const tensor of tensors) {
      expect(state.get(tensor)).toMatchObject({ dtype: "I8", shape: truth.get(tensor)?.shape });
      expect(state.get(`${tensor}_scale`)).toMatchObject({ dtype: "F32", shape: truth.get(`${tensor}_scale`)?.shape });
      expect(await bytesOfTensor(state.get(`${tensor}_scale`)), `${tensor}_scale`).toEqual(
        await bytesOfTensor(truth.get(`${tensor}_scale`)),
      );
      expect(await numbersOf(state.get(tensor)), tensor).toEqual(await numbersOf(truth.get(tensor)));
    }
    expect(lastModifier(context)).toMatchObject({
      type: "quantize",
      dtype: "I8",
      scheme,
      axis,
      qmin,
      qmax,
      tensors: [...tensorsOf(base).keys()],
    });
  });

  it("gives back the weights to half a step", async () => {
    const tensors = tensorsOf("quantize");
    const { state } = await quantize(new Map([["w", tensors.get("linear") as TensorData]]), { axis: -1 });
    const [integers, scales, before] = [
      await numbersOf(state.get("w")),
      await floats(state.get("w_scale")),
      await numbersOf(tensors.get("linear")),
    ];
    for (const [at, value] of before.entries()) {
      const scale = scales[at % 16] ?? 0;
      expect(Math.abs((integers[at] ?? 0) * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
    }
  });

  it("leaves alone biases, buffers, other dtypes and what is excluded", async () => {
    const w = tensorOf("F32", [2, 2], (index) => index);
    const tensors = new Map<string, TensorData>([
      ["a.weight", w],
      ["a.bias", tensorOf("F32", [2], () => 1)],
      ["a.steps", tensorOf("I32", [2, 2], () => 1)],
      ["b.weight", tensorOf("F32", [2, 2], (index) => index)],
    ]);
    const { state, context } = await quantize(tensors, { exclude: ["b.*"] });
    expect([...state].map(([name, { dtype }]) => [name, dtype])).toEqual([
      ["a.weight", "I8"],
      ["a.bias", "F32"],
      ["a.steps", "I32"],
      ["b.weight", "F32"],
      ["a.weight_scale", "F32"],
    ]);
    expect(lastModifier(context)).toMatchObject({ tensors: ["a.weight"], total_params: 4 });
  });

  it("takes a bias that is named in full", async () => {
    const { state } = await quantize(new Map([["bias", tensorOf("F32", [2], (index) => index + 1)]]), {
      include: ["bias"],
      scheme: "per_tensor",
    });
    expect(await numbersOf(state.get("bias"))).toEqual([64, 127]);
  });

  it("keeps tied weights tied, and their scales", async () => {
    const w = tensorOf("F32", [2, 2], (index) => index);
    const { model, state } = await quantize(
      new Map([
        ["embed.weight", w],
        ["head.weight", w],
      ]),
      {},
      { "head.weight": "embed.weight" },
    );
    expect(model.ties()).toContainEqual(["embed.weight", "head.weight"]);
    expect(await bytesOfTensor(state.get("head.weight_scale"))).toEqual(await bytesOfTensor(state.get("embed.weight_scale")));
  });

  it("reports progress up to the number of elements, and stops when it is told to", async () => {
    const model = modelOf(new Map([["w", tensorOf("F32", [3, 70_000], (index) => index % 9)]]));
    const seen: Progress[] = [];
    await new QuantizeModifier().process(contextOf(model), { onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ done }) => done)).toEqual([65_536, 131_072, 196_608, 210_000]);
    expect(seen.every(({ total, phase }) => total === 210_000 && phase === "quantize")).toBe(true);

    const again = modelOf(new Map([["w", tensorOf("F32", [3, 70_000], (index) => index % 9)]]));
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error("enough"));
    await expect(new QuantizeModifier().process(contextOf(again), { signal: stop.signal, onProgress })).rejects.toThrow("enough");
    expect(again.stateDict().get("w")?.dtype).toBe("F32");
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses a weight with %d, and changes nothing",
    async (value) => {
      const tensors = new Map([
        ["good", tensorOf("F32", [2, 2], () => 1)],
        ["bad", tensorOf("F32", [2, 2], (index) => (index === 1 ? value : 3))],
      ]);
      const model = modelOf(tensors);
      await expect(new QuantizeModifier().process(contextOf(model), {})).rejects.toMatchObject({
        code: "NOT_FINITE",
        details: { name: "bad" },
      });
      expect([...model.stateDict().keys()]).toEqual(["good", "bad"]);
      expect(model.stateDict().get("good")?.dtype).toBe("F32");
    },
  );

  it("refuses what it cannot do", async () => {
    const w = () => tensorOf("F32", [2, 2], (index) => index);
    const [f32, i32] = [
      new Map([["w", w()]]),
      new Map<string, TensorData>([
        ["w", w()],
        ["n", tensorOf("I32", [2, 2], () => 1)],
      ]),
    ];
    await expect(quantize(i32, { include: ["n"] })).rejects.toMatchObject({
      code: "UNSUPPORTED_DTYPE",
      details: { name: "n", dtype: "I32" },
    });
    await expect(quantize(f32, { include: ["w", "x.*"] })).rejects.toMatchObject({
      code: "UNKNOWN_TENSOR",
      details: { patterns: ["x.*"] },
    });
    await expect(quantize(f32, { exclude: ["*"] })).rejects.toMatchObject({ code: "NO_TENSORS" });
    await expect(quantize(f32, { axis: 2 })).rejects.toMatchObject({ code: "UNSUPPORTED_SHAPE" });
    await expect(
      quantize(
        new Map([
          ["w", w()],
          ["w_scale", w()],
        ]),
        {},
      ),
    ).rejects.toMatchObject({ code: "NAME_CONFLICT" });
    const empty = modelOf(f32);
    empty.weightsInitialized = false;
    await expect(new QuantizeModifier().process(contextOf(empty), {})).rejects.toMatchObject({ code: "WEIGHTS_NOT_LOADED" });
    expect(() => new QuantizeModifier({ qmax: 128 })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

describe("QuantizeModifier as a cast", () => {
  it.each(["F16", "BF16", "F32"] as const)("casts every floating-point tensor to %s, biases as well", async (dtype) => {
    const tensors = tensorsOf("net-float64");
    const { state, context } = await quantize(tensors, { dtype });
    for (const [name, data] of tensors) {
      const wide = new Uint8Array(await bytesOfTensor(data));
      const expected = new Uint8Array(data.byteLength / (dtype === "F32" ? 2 : 4));
      jsKernels().cast("F64", dtype, wide, expected);
      expect(state.get(name)).toMatchObject({ dtype, shape: data.shape });
      expect(await bytesOfTensor(state.get(name)), name).toEqual(expected);
    }
    expect(lastModifier(context)).toMatchObject({ type: "quantize", dtype });
    expect(lastModifier(context)).not.toHaveProperty("qmin");
  });
});
