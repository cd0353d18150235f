import { type ByteSource, memorySource, Storage, TensorHandle } from "@ckptkit/core";
import { histogram } from "@ckptkit/inspect";
import { loadKernels } from "@ckptkit/wasm";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
// numpy 2.4: numpy.histogram over the finite values as float64, by "file path bins range"; magnitudes by numpy.frexp.
import truth from "./numpy-histograms.json" with { type: "json" };
import { openFixture } from "./opened.js";

const kernels = await loadKernels();

function floats(numbers: readonly number[] | Float64Array): TensorHandle {
  const storage = new Storage({ id: "s", bytes: memorySource(new Uint8Array(Float64Array.from(numbers).buffer)) });
  return new TensorHandle({ dtype: "F64", shape: [numbers.length], storage, byteOffset: 0 }, { keys: ["t"], name: "t", group: "model" });
}

describe("histogram", () => {
  it.each(Object.entries(truth))("counts as numpy does: %s", async (what, expected) => {
    const [, file = "", path = "", bins = "", range = ""] = /^(\S+) (\S+) (\d+) (.*)$/.exec(what) ?? [];
    const tensor = (await openFixture(file)).tensors.find((each) => each.path === path);
    if (!tensor) throw new Error(`no ${path} in ${file}`);
    const given = range === "auto" ? ("auto" as const) : (JSON.parse(range) as [number, number]); // as the generator wrote it
    for (const options of [{}, { kernels }]) {
      const found = await histogram(tensor, { bins: Number(bins), range: given, ...options });
      expect(found.counts).toEqual(expected.counts);
      expect(found.edges).toEqual(expected.edges);
      expect(found.magnitudes).toEqual(expected.magnitudes);
      expect(found.counts.reduce((sum, count) => sum + count, found.below + found.above)).toBe(found.finite);
    }
  });

  it("counts what is not finite, and zeros", async () => {
    const tensor = floats([Number.NaN, 1, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 3]);
    expect(await histogram(tensor, { bins: 2 })).toMatchObject({
      count: 8,
      finite: 4,
      nan: 1,
      posInf: 1,
      negInf: 2,
      zeros: 2,
      min: 0,
      max: 3,
      counts: [3, 1],
    });
  });

  it("has no bins where nothing is finite, and a range of one around a single number", async () => {
    expect(await histogram(floats([Number.NaN]))).toMatchObject({ edges: [], counts: [], min: null, max: null, magnitudes: [] });
    expect(await histogram(floats([]))).toMatchObject({ count: 0, edges: [], sampled: null });
    expect((await histogram(floats([7, 7]), { bins: 2 })).edges).toEqual([6.5, 7, 7.5]);
  });

  it("holds the widest range and the smallest numbers", async () => {
    const found = await histogram(floats([-1.7e308, 1.7e308, 5e-324, -(2 ** -1022), 1.5]), { bins: 4 });
    expect(found.counts).toEqual([1, 1, 2, 1]);
    expect(found.magnitudes.filter(({ positive, negative }) => positive + negative > 0)).toEqual([
      { exponent: -1074, positive: 1, negative: 0 },
      { exponent: -1022, positive: 0, negative: 1 },
      { exponent: 0, positive: 1, negative: 0 },
      { exponent: 1023, positive: 1, negative: 1 },
    ]);
  });

  it("puts every number between the edges of its bin", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        async (numbers, bins) => {
          const { counts, edges, finite } = await histogram(floats(numbers), { bins });
          expect(finite).toBe(numbers.length);
          for (let bin = 0; bin < bins; bin++) {
            const [low = 0, high = 0] = [edges[bin], edges[bin + 1]];
            expect(counts[bin]).toBe(numbers.filter((x) => x >= low && (x < high || (bin === bins - 1 && x === high))).length);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("says when it has seen a sample only, spread from the first element to the last", async () => {
    const numbers = Float64Array.from({ length: 1_000_000 }, (_, i) => i);
    const sampled = await histogram(floats(numbers), { sampleBytes: 800_000, bins: 10 });
    expect(sampled.sampled).toEqual({ bytes: 12 * 65_536, ofBytes: 8_000_000 });
    expect([sampled.min, sampled.max, sampled.count]).toEqual([0, 999_999, (12 * 65_536) / 8]);
    expect(sampled.bytesRead).toBe(12 * 65_536);
    expect((await histogram(floats([1, 2]), { sampleBytes: 1000 })).sampled).toBeNull();
  });

  it("reads small tensors once and large ones twice, reports progress to the end, and stops when it is told to", async () => {
    const bytes = new Uint8Array(16 * 1024 * 1024);
    let read = 0;
    const source: ByteSource = {
      size: bytes.length,
      name: "large",
      async read(start, end) {
        read += end - start;
        return bytes.slice(start, end);
      },
    };
    const large = (dtype: string, size: number): TensorHandle =>
      new TensorHandle(
        { dtype, shape: [bytes.length / size], storage: new Storage({ id: "s", bytes: source }), byteOffset: 0 },
        { keys: ["t"], name: "t", group: "model" },
      );
    const progress: number[] = [];
    await histogram(large("F32", 4), { onProgress: ({ done, total }) => progress.push(done / total) });
    expect([read, progress.at(-1)]).toEqual([2 * bytes.length, 1]);
    read = 0;
    await histogram(large("BF16", 2));
    expect(read).toBe(bytes.length);
    const stop = new AbortController();
    const stopped = histogram(large("F32", 4), { signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) });
    await expect(stopped).rejects.toThrow("enough");
  });

  it("refuses ranges, bins and samples that cannot be", async () => {
    for (const options of [
      { bins: 0 },
      { bins: 1.5 },
      { range: [2, 1] as const },
      { range: [0, Number.NaN] as const },
      { sampleBytes: 0 },
    ]) {
      await expect(histogram(floats([1]), options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});
