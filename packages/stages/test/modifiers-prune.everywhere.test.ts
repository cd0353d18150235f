import type { Progress, TensorData } from "@ckptkit/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PruneModifier } from "../src/modifiers/prune.js";
import { contextOf, lastModifier, modelOf, numbersOf, pruneCases, tensorsOf } from "./modifier-truth.js";
import { tensorOf } from "./tensors.js";

const prune = async (tensors: Map<string, TensorData>, options: ConstructorParameters<typeof PruneModifier>[0], ties = {}) => {
  const model = modelOf(tensors, ties);
  const context = await new PruneModifier(options).process(contextOf(model), {});
  return { model, state: model.stateDict(), record: lastModifier(context) };
};
const f32 = (shape: readonly number[], values: readonly number[]) => tensorOf("F32", shape, (index) => values[index] ?? Number.NaN);
const isZero = (value: number): boolean => value === 0;

describe("PruneModifier", () => {
  it.each(pruneCases)("prunes what torch prunes: $case", async ({ case: name, base, options, zeros }) => {
    const tensors = tensorsOf(base);
    const { state, record } = await prune(tensors, options);
    const sizes = new Map<string, number>();
    for (const [tensor, truth] of tensorsOf(name)) {
      // torch multiplies by a mask, which leaves -0 for negative numbers; a sum with 0 makes it +0.
      const expected = (await numbersOf(truth)).map((value) => value + 0);
      sizes.set(tensor, expected.length);
      expect(state.get(tensor)?.dtype).toBe(truth.dtype);
      expect(await numbersOf(state.get(tensor)), tensor).toEqual(expected);
    }
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    const pruned = Object.values(zeros).reduce((sum, count) => sum + count, 0);
    expect(record).toMatchObject({
      type: "prune",
      method: options.method,
      tensors: [...tensors.keys()].map((tensor) => {
        const count = zeros[tensor] ?? Number.NaN;
        return { name: tensor, pruned_params: count, sparsity: count / (sizes.get(tensor) ?? 0) };
      }),
      total_pruned_params: pruned,
      total_params: total,
      total_sparsity: pruned / total,
    });
  });

  it("prunes exactly the number asked for, the first of equal magnitudes first, whatever the numbers", async () => {
    const value = fc.oneof(
      fc.constantFrom(0, -0, 1, -1, 2, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, -1e-45),
      fc.float(),
      fc.integer({ min: -3, max: 3 }),
    );
    const sample = fc.array(fc.array(value, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(sample, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), async (arrays, part, wide) => {
        const dtype = wide ? "F64" : "F32";
        const stored = wide ? arrays : arrays.map((array) => [...Float32Array.from(array)]);
        const tensors = new Map(stored.map((array, index) => [`t${index}`, tensorOf(dtype, [array.length, 1], (at) => array[at] ?? 0)]));
        const all = stored.flatMap((array, tensor) => array.map((element, at) => ({ element, tensor, at })));
        const count = Math.floor(part * all.length);
        const magnitude = (element: number): number => (Number.isNaN(element) ? Number.POSITIVE_INFINITY : Math.abs(element));
        const nanLast = (element: number): number => (Number.isNaN(element) ? 1 : 0);
        const ordered = [...all].sort(
          (a, b) => nanLast(a.element) - nanLast(b.element) || Math.sign(magnitude(a.element) - magnitude(b.element) || 0),
        );
        const expected = stored.map((array) => [...array]);
        for (const { tensor, at } of ordered.slice(0, count)) (expected[tensor] ?? [])[at] = 0;
        const { state, record } = await prune(tensors, { count, global: true });
        for (const [index, array] of expected.entries()) expect(await numbersOf(state.get(`t${index}`))).toEqual(array);
        const zeros = expected.flat().filter(isZero).length;
        expect(record).toMatchObject({ total_pruned_params: count, total_sparsity: zeros / all.length });
      }),
      { numRuns: 150 },
    );
  });

  it("finds the border within equal magnitudes across blocks and reads, in whatever part it is read", async () => {
    const size = 150_000;
    const tensors = new Map([["w", tensorOf("F32", [size, 1], (index) => (index % 3 === 0 ? -0.5 : 2))]]);
    const { state } = await prune(tensors, { count: 40_000 });
    // Every third is 0.5: the first 40,000 of them stand before element 120,000.
    const part = new Uint8Array(4 * 9);
    await state.get("w")?.readInto(part, 4 * 119_994);
    expect([...new Float32Array(part.buffer)]).toEqual([0, 2, 2, 0, 2, 2, -0.5, 2, 2]);
  });

  it("prunes equal magnitudes of earlier tensors first, and tells float64 numbers apart by their last bits", async () => {
    const ones = () => f32([2, 1], [1, -1]);
    const { state } = await prune(
      new Map([
        ["a", ones()],
        ["b", ones()],
      ]),
      { count: 3, global: true },
    );
    expect([await numbersOf(state.get("a")), await numbersOf(state.get("b"))]).toEqual([
      [0, 0],
      [0, -1],
    ]);
    const close = [1 + 2 ** -52, 1, 1 + 2 ** -51, 1];
    const wide = await prune(new Map([["w", tensorOf("F64", [4, 1], (index) => close[index] ?? 0)]]), { count: 2 });
    expect(await numbersOf(wide.state.get("w"))).toEqual([close[0], 0, close[2], 0]);
  });

  it("compares float64 with float64's own precision when tensors of several dtypes are pruned together", async () => {
    const tensors = new Map<string, TensorData>([
      ["a", f32([2, 1], [1, 3])],
      ["b", tensorOf("F64", [2, 1], (index) => [1 - 2 ** -50, 1 + 2 ** -50][index] ?? 0)],
    ]);
    const { state } = await prune(tensors, { count: 2, global: true });
    expect(await numbersOf(state.get("a"))).toEqual([0, 3]);
    expect(await numbersOf(state.get("b"))).toEqual([0, 1 + 2 ** -50]);
  });

  it("prunes the first of slices with equal norms, and slices with NaN last", async () => {
    const tensors = new Map([["w", f32([4, 2], [Number.NaN, 0, 3, 4, 5, 0, 0, 6])]]);
    const { state } = await prune(tensors, { method: "ln_structured", count: 1 });
    expect(await numbersOf(state.get("w"))).toEqual([Number.NaN, 0, 0, 0, 5, 0, 0, 6]);
  });

  it("rounds halves to even, as Python does", async () => {
    const five = () => new Map([["w", f32([5, 1], [1, 2, 3, 4, 5])]]);
    const seven = () => new Map([["w", f32([7, 1], [1, 2, 3, 4, 5, 6, 7])]]);
    expect((await prune(five(), { amount: 0.5 })).record).toMatchObject({ total_pruned_params: 2 });
    expect((await prune(seven(), { amount: 0.5 })).record).toMatchObject({ total_pruned_params: 4 });
  });

  it("leaves biases alone, and prunes tied weights once", async () => {
    const w = f32([2, 2], [1, 2, 3, 4]);
    const tensors = new Map([
      ["a.weight", w],
      ["b.weight", w],
      ["b.bias", f32([2], [0.1, 0.2])],
    ]);
    const { state, model, record } = await prune(tensors, { amount: 0.5 }, { "b.weight": "a.weight" });
    expect(model.ties()).toEqual([["a.weight", "b.weight"]]);
    expect(await numbersOf(state.get("b.weight"))).toEqual([0, 0, 3, 4]);
    expect(await numbersOf(state.get("b.bias"))).toHaveLength(2);
    expect(record).toMatchObject({ total_params: 4 });
  });

  it("reports progress that ends at its total, and stops when it is told to", async () => {
    for (const options of [{ amount: 0.5 }, { count: 0 }, { amount: 0.5, global: true }, { method: "ln_structured", count: 1 }] as const) {
      const seen: Progress[] = [];
      const model = modelOf(
        new Map([
          ["a", tensorOf("F32", [2, 50_000], (index) => index)],
          ["b", tensorOf("F64", [2, 9], (index) => index)],
        ]),
      );
      await new PruneModifier(options).process(contextOf(model), { onProgress: (progress) => seen.push(progress) });
      expect(seen.at(-1)?.done).toBe(seen.at(-1)?.total);
      for (const [index, { done }] of seen.entries()) expect(done).toBeGreaterThan(seen[index - 1]?.done ?? 0);
    }
    const stop = new AbortController();
    const model = modelOf(new Map([["a", tensorOf("F32", [2, 50_000], (index) => index)]]));
    const onProgress = () => stop.abort(new Error("enough"));
    await expect(new PruneModifier({ amount: 0.5 }).process(contextOf(model), { signal: stop.signal, onProgress })).rejects.toThrow(
      "enough",
    );
  });

  it("refuses what it cannot do", async () => {
    const tensors = () => new Map([["w", f32([2, 2], [1, 2, 3, 4])]]);
    await expect(prune(tensors(), { count: 5 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT", details: { count: 5, size: 4 } });
    await expect(prune(tensors(), { method: "ln_structured", count: 3 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(prune(tensors(), { method: "ln_structured", count: 1, dim: 2 })).rejects.toMatchObject({ code: "UNSUPPORTED_SHAPE" });
    await expect(prune(new Map([["n", tensorOf("I32", [2, 2], () => 1)]]), { count: 1, include: ["n"] })).rejects.toMatchObject({
      code: "UNSUPPORTED_DTYPE",
    });
    const model = modelOf(tensors());
    model.weightsInitialized = false;
    await expect(new PruneModifier({ count: 1 }).process(contextOf(model), {})).rejects.toMatchObject({ code: "WEIGHTS_NOT_LOADED" });
    for (const wrong of [{}, { amount: 0.5, count: 1 }, { amount: 1.5 }, { count: 1, method: "ln_structured", global: true }] as const) {
      expect(() => new PruneModifier(wrong)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
  });
});
