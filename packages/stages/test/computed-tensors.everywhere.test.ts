import { countElements, type TensorData } from "@ckptkit/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { castTensor } from "../src/tensors/cast.js";
import { concatTensors } from "../src/tensors/concat.js";
import { permuteTensor, sliceTensor } from "../src/tensors/views.js";
import { zerosTensor } from "../src/tensors/zeros.js";
import { bytesOfTensor, floats, tensorOf } from "./tensors.js";

/** Every index of a shape, in row-major order: the plain way to say what a tensor holds. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>((all, size) => all.flatMap((index) => Array.from({ length: size }, (_, at) => [...index, at])), [[]]);
}

const flat = (index: readonly number[], shape: readonly number[]): number =>
  index.reduce((position, at, axis) => position * (shape[axis] ?? 1) + at, 0);

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
const counting = (shape: readonly number[], from = 0): TensorData => tensorOf("F32", shape, (index) => from + index);

/** Reads [start, end) elements of every kind of range, and compares with the whole. */
async function sameInParts(tensor: TensorData): Promise<void> {
  const whole = await bytesOfTensor(tensor);
  const elements = countElements(tensor.shape);
  for (const [start, end] of [
    [0, elements],
    [Math.floor(elements / 3), Math.floor((2 * elements) / 3)],
    [Math.max(0, elements - 1), elements],
  ] as const) {
    const part = new Uint8Array((end - start) * 4);
    await tensor.readInto(part, start * 4);
    expect(part).toEqual(whole.subarray(start * 4, end * 4));
  }
}

describe("computed tensors", () => {
  it("slices hold what an index along their axis says", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(), fc.nat(), fc.nat(), async (shape, a, b, c) => {
        const axis = a % shape.length;
        const size = shape[axis] ?? 0;
        const [start = 0, end = 0] = [b % (size + 1), c % (size + 1)].sort((x, y) => x - y);
        const slice = sliceTensor(counting(shape), axis, start, end);
        const expected = indices(shape)
          .filter((index) => (index[axis] ?? 0) >= start && (index[axis] ?? 0) < end)
          .map((index) => flat(index, shape));
        expect(await floats(slice)).toEqual(expected);
        await sameInParts(slice);
      }),
    );
  });

  it("permuted tensors hold each element at its permuted index, also of slices and of joined tensors", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), async (shape, keys) => {
        const axes = shape.map((_, axis) => axis).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
        const permuted = permuteTensor(concatTensors([counting(shape)], 0), axes);
        const expected = indices(axes.map((axis) => shape[axis] ?? 0)).map((index) => {
          const original = shape.map((_, axis) => index[axes.indexOf(axis)] ?? 0);
          return flat(original, shape);
        });
        expect(await floats(permuted)).toEqual(expected);
        await sameInParts(permuted);
      }),
    );
  });

  it("joining the slices of a tensor gives it back, along every axis and for every range", async () => {
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(), fc.array(fc.nat(), { maxLength: 3 }), async (shape, a, at) => {
        const axis = a % shape.length;
        const size = shape[axis] ?? 0;
        const cuts = [0, ...at.map((place) => place % (size + 1)).sort((x, y) => x - y), size];
        const parts = cuts.slice(1).map((end, index) => sliceTensor(counting(shape), axis, cuts[index] ?? 0, end));
        const joined = concatTensors(parts, axis);
        expect(joined.shape).toEqual(shape);
        expect(await floats(joined)).toEqual(await floats(counting(shape)));
        await sameInParts(joined);
      }),
    );
  });

  it("join along the last axis in windows when a tensor is larger than one", async () => {
    const rows = 3000;
    const left = counting([rows, 200]);
    const right = counting([rows, 130], 1e6);
    const joined = await floats(concatTensors([left, right], 1));
    expect(joined.length).toBe(rows * 330);
    for (const row of [0, 1, 1310, 1311, rows - 1]) {
      expect(joined[row * 330 + 199]).toBe(row * 200 + 199);
      expect(joined[row * 330 + 200]).toBe(1e6 + row * 130);
    }
  });

  it("refuse to join what does not fit", () => {
    expect(() => concatTensors([counting([2, 3]), counting([2, 4])], 0)).toThrow(expect.objectContaining({ code: "INCOMPATIBLE" }));
    expect(() => concatTensors([counting([2]), tensorOf("U8", [2], () => 0)], 0)).toThrow(
      expect.objectContaining({ code: "INCOMPATIBLE" }),
    );
    expect(() => concatTensors([counting([2])], 1)).toThrow(expect.objectContaining({ code: "INCOMPATIBLE" }));
    expect(() => concatTensors([], 0)).toThrow(expect.objectContaining({ code: "INCOMPATIBLE" }));
  });

  it("cast in pieces of any size, integers as C does and floats rounding to nearest even", async () => {
    const count = 700_000;
    const wide = castTensor(
      tensorOf("F32", [count], (index) => index / 8),
      "F64",
    );
    expect(wide?.byteLength).toBe(count * 8);
    const values = new Float64Array((await bytesOfTensor(wide)).buffer);
    for (const index of [0, 1, 262_143, 262_144, count - 1]) expect(values[index]).toBe(index / 8);
    // 2049 lies halfway between the half-precision numbers 2048 and 2050: even is 2048.
    const halves = castTensor(
      tensorOf("F32", [2], (index) => [2049, 2051][index] ?? 0),
      "F16",
    );
    expect(await floats(castTensor(halves as TensorData, "F32"))).toEqual([2048, 2052]);
    const ints = tensorOf("I32", [4], (index) => [-1, 300, 0, 70_000][index] ?? 0);
    expect([...new BigInt64Array((await bytesOfTensor(castTensor(ints, "I64"))).buffer)]).toEqual([-1n, 300n, 0n, 70_000n]);
    expect([...(await bytesOfTensor(castTensor(ints, "U8")))]).toEqual([255, 44, 0, 112]);
    expect([...(await bytesOfTensor(castTensor(ints, "BOOL")))]).toEqual([1, 1, 0, 1]);
    expect(castTensor(ints, "F32")).toBeUndefined();
  });

  it("refuse ranges beyond their end and within an element", async () => {
    const zeros = zerosTensor("F32", [2]);
    await expect(zeros.readInto(new Uint8Array(8), 4)).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await expect(zeros.readInto(new Uint8Array(2), 2)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const target = new Uint8Array(4).fill(9);
    await zeros.readInto(target, 4);
    expect([...target]).toEqual([0, 0, 0, 0]);
  });
});
