import { type ByteSource, Storage, TensorHandle } from "@ckptkit/core";
import { readSlice, type SliceReduce } from "@ckptkit/inspect";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openFixture } from "./opened.js";

/** A source whose float32 number at place i is f(i), however large it is; counts what is read. */
function computed(count: number, f: (index: number) => number): { source: ByteSource; reads: () => number; bytes: () => number } {
  let reads = 0;
  let bytes = 0;
  const source: ByteSource = {
    size: count * 4,
    name: "computed",
    async read(start, end) {
      reads++;
      bytes += end - start;
      const numbers = new Float32Array((end - start) / 4);
      for (let i = 0; i < numbers.length; i++) numbers[i] = f(start / 4 + i);
      return new Uint8Array(numbers.buffer);
    },
  };
  return { source, reads: () => reads, bytes: () => bytes };
}

function tensorOf(source: ByteSource, shape: number[], strides?: number[]): TensorHandle {
  const storage = new Storage({ id: "s", bytes: source });
  return new TensorHandle(
    { dtype: "F32", shape, ...(strides && { strides }), storage, byteOffset: 0 },
    { keys: ["t"], name: "t", group: "model" },
  );
}

describe("readSlice", () => {
  it("gives small matrices as they are", async () => {
    const { source } = computed(12, (i) => i);
    const slice = await readSlice(tensorOf(source, [3, 4]));
    expect([slice.rows, slice.columns, slice.min, slice.max, slice.sampled, slice.elements]).toEqual([3, 4, 0, 11, false, 12]);
    expect([...slice.values]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("takes any two axes, in any order, at any place of the others", async () => {
    const { source } = computed(2 * 3 * 4, (i) => i);
    const tensor = tensorOf(source, [2, 3, 4]);
    const slice = await readSlice(tensor, { rowAxis: 2, columnAxis: 0, fixed: [0, 1, 0], rows: [1, 3] });
    // Element [c, 1, r] is 12c + 4 + r.
    expect([...slice.values]).toEqual([5, 17, 6, 18]);
    expect(slice).toMatchObject({ rowAxis: 2, columnAxis: 0, rowRange: [1, 3], columnRange: [0, 2] });
    const row = await readSlice(tensor, { rowAxis: null, columnAxis: 1, fixed: [1, 0, 3] });
    expect([row.rows, [...row.values]]).toEqual([1, [15, 19, 23]]);
  });

  it("makes blocks the mean, the largest magnitude with its sign, or the element in the middle", async () => {
    const { source } = computed(16, (i) => (i === 5 ? -100 : i));
    const tensor = tensorOf(source, [4, 4]);
    const to2 = async (reduce: SliceReduce) => [...(await readSlice(tensor, { maxRows: 2, maxColumns: 2, reduce })).values];
    // Blocks: [0 1 4 -100], [2 3 6 7], [8 9 12 13], [10 11 14 15].
    expect(await to2("mean")).toEqual([-95 / 4, 4.5, 10.5, 12.5]);
    expect(await to2("max-abs")).toEqual([-100, 7, 13, 15]);
    expect(await to2("nearest")).toEqual([-100, 7, 13, 15]);
  });

  it("shows a NaN in any block, and counts what is not finite", async () => {
    const { source } = computed(16, (i) => (i === 0 ? Number.NaN : i === 15 ? Number.NEGATIVE_INFINITY : 1));
    for (const reduce of ["mean", "max-abs"] as const) {
      const slice = await readSlice(tensorOf(source, [4, 4]), { maxRows: 2, maxColumns: 2, reduce });
      expect([...slice.values], reduce).toEqual([Number.NaN, 1, 1, Number.NEGATIVE_INFINITY]);
      expect([slice.nan, slice.negInf, slice.min, slice.max]).toEqual([1, 1, 1, 1]);
    }
  });

  it("gives what a plain loop gives, for any strides, blocks and ranges", async () => {
    const side = fc.integer({ min: 1, max: 9 });
    await fc.assert(
      fc.asyncProperty(
        side,
        side,
        fc.boolean(),
        side,
        side,
        fc.constantFrom<SliceReduce>("mean", "max-abs", "nearest"),
        async (r, c, turned, maxRows, maxColumns, reduce) => {
          const value = (i: number): number => Math.fround(Math.sin(i * 12.9898) * 43.5);
          const { source } = computed(r * c, value);
          const tensor = tensorOf(source, [r, c], turned ? [1, r] : [c, 1]);
          const slice = await readSlice(tensor, { maxRows, maxColumns, reduce });
          const [rows, columns] = [Math.min(r, maxRows), Math.min(c, maxColumns)];
          expect([slice.rows, slice.columns]).toEqual([rows, columns]);
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++) {
              const block: number[] = [];
              const from = [Math.floor((i * r) / rows), Math.floor((j * c) / columns)];
              const to = [Math.floor(((i + 1) * r) / rows), Math.floor(((j + 1) * c) / columns)];
              for (let y = from[0] ?? 0; y < (to[0] ?? 0); y++)
                for (let x = from[1] ?? 0; x < (to[1] ?? 0); x++) block.push(value(turned ? y + x * r : y * c + x));
              const found = slice.values[i * columns + j] ?? Number.NaN;
              if (reduce === "nearest") expect(block).toContain(found);
              else if (reduce === "mean") expect(found).toBeCloseTo(block.reduce((sum, x) => sum + x, 0) / block.length, 4);
              else expect(Math.abs(found)).toBe(Math.max(...block.map(Math.abs)));
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each<[string, number[], number[] | undefined, SliceReduce]>([
    ["a huge matrix", [1_000_000, 60_000], undefined, "nearest"],
    ["a huge matrix, by means", [1_000_000, 60_000], undefined, "mean"],
    ["its transpose", [60_000, 1_000_000], [1, 60_000], "max-abs"],
    ["one endless row", [60_000_000_000], undefined, "nearest"],
    ["one endless row, by means", [60_000_000_000], undefined, "mean"],
    ["a few endless rows", [4, 15_000_000_000], undefined, "max-abs"],
    ["planes across far elements", [512, 512, 262_144], undefined, "nearest"],
  ])("reads a bounded number of bytes of %s", async (what, shape, strides, reduce) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const { source, reads, bytes } = computed(count, (i) => i % 7);
    const axes = what.startsWith("planes") ? { rowAxis: 0, columnAxis: 1 } : {};
    const slice = await readSlice(tensorOf(source, shape, strides), { ...axes, reduce });
    expect(bytes()).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(reads()).toBeLessThanOrEqual(1024);
    expect(slice.bytesRead).toBe(bytes());
    expect(slice.sampled).toBe(true);
    expect(slice.values).toHaveLength(slice.rows * slice.columns);
    expect(slice.rows * slice.columns).toBeGreaterThanOrEqual(256);
    expect([slice.min, slice.max].every((edge) => edge !== null && edge >= 0 && edge <= 6)).toBe(true);
  });

  it("shows every kind of element: complex ones by magnitude, quantised ones as real numbers, scalars and empty ones", async () => {
    for (const file of ["dtypes-all.pt", "quantized.pt", "conj-neg.pt", "empty-and-scalar.pt", "views.pt"]) {
      for (const tensor of (await openFixture(file)).tensors) {
        const slice = await readSlice(tensor, { maxRows: 3, maxColumns: 3 });
        expect(slice.values, tensor.path).toHaveLength(slice.rows * slice.columns);
      }
    }
    const quantized = (await openFixture("quantized.pt")).tensors.find(({ path }) => path === "per_channel_axis_1");
    if (!quantized) throw new Error("no such tensor");
    const slice = await readSlice(quantized, { rows: [0, 1] });
    expect([...slice.values.subarray(0, 3)]).toEqual([0, 0, 1.6875128746032715]); // torch's dequantize()
  });

  it("refuses axes, places and ranges that are not there", async () => {
    const { source } = computed(12, (i) => i);
    const tensor = tensorOf(source, [3, 4]);
    for (const options of [
      { rowAxis: 2 },
      { rowAxis: 1, columnAxis: 1 },
      { rows: [0, 4] as const },
      { maxRows: 0 },
      { rowAxis: null, fixed: [3, 0] },
    ]) {
      await expect(readSlice(tensor, options), JSON.stringify(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});
