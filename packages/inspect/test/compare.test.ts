import { type Checkpoint, memorySource, Storage, type Tree } from "@ckptkit/core";
import { checkpointOfTree } from "@ckptkit/formats";
import { type ComparedTensor, compareCheckpoints, convertCheckpoint, globFilter } from "@ckptkit/inspect";
import { fixtures } from "@ckptkit/testkit/node";
import { jsKernels } from "@ckptkit/wasm/js";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryFolder, openFixture } from "./opened.js";

type Weights = Record<string, Float32Array | Float64Array | BigInt64Array>;
const DTYPES = new Map([
  ["Float32Array", "F32"],
  ["Float64Array", "F64"],
  ["BigInt64Array", "I64"],
]);

/** A state dict in memory. */
function stateDict(weights: Weights): Checkpoint {
  const entries = Object.entries(weights).map(([name, values]): [Tree, Tree] => {
    const storage = new Storage({ id: name, bytes: memorySource(new Uint8Array(values.slice().buffer)) });
    const dtype = DTYPES.get(values.constructor.name) ?? "F32";
    return [name, { kind: "tensor", tensor: { dtype, shape: [values.length], storage, byteOffset: 0 } }];
  });
  return checkpointOfTree({ kind: "map", type: "collections.OrderedDict", entries }, { uri: "memory" });
}

const f32 = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

async function converted(file: string, to: "safetensors" | "state_dict" | "pytorch", dtype?: "BF16"): Promise<Checkpoint> {
  const folder = memoryFolder();
  const fileName = to === "safetensors" ? "model.safetensors" : "model.pt";
  await convertCheckpoint(await openFixture(file), folder.create, { kernels: jsKernels(), fileName, to, dtype });
  return folder.open(fileName);
}

describe("compareCheckpoints", () => {
  it.each(fixtures().filter(({ truth, bytesWritten }) => bytesWritten !== false && truth.tensors.length > 0))(
    "finds $file the same as itself",
    async ({ file }) => {
      const [a, b] = [await openFixture(file), await openFixture(file)];
      const { verdict, changed, added, removed, metadata } = await compareCheckpoints(a, b);
      expect({ verdict, changed, added, removed, metadata }).toEqual({
        verdict: "same",
        changed: [],
        added: [],
        removed: [],
        metadata: [],
      });
    },
  );

  it.each(["vit-tiny.ckpt", "ties.pt", "lstm.pt", "conv-bn.pt", "views.pt"])(
    "finds %s the same as what it was converted to, in both directions",
    async (file) => {
      for (const to of ["safetensors", "state_dict", "pytorch"] as const) {
        const original = await openFixture(file);
        if (original.layout === to) continue; // then the optimizer is compared, too
        const copy = await converted(file, to);
        for (const [a, b] of [
          [original, copy],
          [copy, original],
        ] as const) {
          const { verdict, same } = await compareCheckpoints(a, b);
          expect([verdict, same > 0], `${file} and ${to}`).toEqual(["same", true]);
        }
      }
    },
  );

  it("leaves the optimizer aside when only names can be matched, and says so", async () => {
    const found = await compareCheckpoints(await openFixture("vit-tiny.ckpt"), await converted("vit-tiny.ckpt", "safetensors"));
    expect(found).toMatchObject({ matchedBy: "name", same: 44, aside: { a: 137, b: 0 } });
    const ties = await compareCheckpoints(await openFixture("ties.pt"), await converted("ties.pt", "safetensors"));
    expect(ties.ties).toEqual([{ side: "a", path: "head.weight", tiedTo: "embed.weight" }]);
  });

  it("compares casts by value", async () => {
    const [a, b] = [await openFixture("vit-tiny.ckpt"), await converted("vit-tiny.ckpt", "safetensors", "BF16")];
    const strict = await compareCheckpoints(a, b);
    expect(strict.changed).toHaveLength(44);
    for (const { what, dtypes, difference } of strict.changed) {
      expect([what, dtypes]).toEqual(["dtype", ["F32", "BF16"]]);
      expect(difference?.maxRel).toBeLessThanOrEqual(2 ** -8); // half a unit of BF16's 8 bits
      if (difference?.cosine) expect(difference.cosine).toBeGreaterThan(0.99999);
    }
    const lenient = await compareCheckpoints(a, b, { ignoreDType: true, tolerance: { rel: 2 ** -8 } });
    expect(lenient.verdict).toBe("same");
  });

  it("tells what was added, removed, reshaped and changed, and by how much", async () => {
    const a = stateDict({ gone: f32(1), shape: f32(1, 2), values: f32(1, 2, 3, 4), same: f32(5) });
    const b = stateDict({ shape: f32(1), values: f32(1, 2.5, 3, 2), same: f32(5), came: f32(1) });
    const seen: ComparedTensor[] = [];
    const found = await compareCheckpoints(a, b, { onTensor: (tensor) => seen.push(tensor) });
    expect(found).toMatchObject({ verdict: "different", same: 1, added: [{ path: "came" }], removed: [{ path: "gone" }] });
    expect(found.changed.map(({ path, what }) => [path, what])).toEqual([
      ["shape", "shape"],
      ["values", "values"],
    ]);
    const difference = found.changed[1]?.difference;
    expect(difference).toMatchObject({ count: 4, equal: 2, outside: 2, maxAbs: 2, maxRel: 0.5, meanAbs: 2.5 / 4, firstAt: 1 });
    // 1 + 5 + 9 + 8, over the lengths of both.
    expect(difference?.cosine).toBeCloseTo(23 / (Math.sqrt(30) * Math.sqrt(1 + 6.25 + 9 + 4)), 12);
    expect(seen.map(({ what }) => what)).toEqual(["shape", "values", "same"]);
  });

  it("takes NaN for equal to NaN at the same place, and counts it against numbers", async () => {
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    const a = stateDict({ x: f32(nan, nan, inf, inf, 0, -inf) });
    const b = stateDict({ x: f32(nan, 1, inf, 2, -0, inf) });
    const { changed } = await compareCheckpoints(a, b);
    expect(changed[0]?.difference).toMatchObject({ equal: 3, nanMismatch: 1, infMismatch: 2, outside: 3, maxAbs: 0, firstAt: 1 });
    expect(JSON.parse(JSON.stringify(changed))).toEqual(changed);
  });

  it("tells 64-bit integers apart that are one float64", async () => {
    const [a, b] = [stateDict({ x: BigInt64Array.of(1n, 2n ** 60n) }), stateDict({ x: BigInt64Array.of(1n, 2n ** 60n + 1n) })];
    const { changed } = await compareCheckpoints(a, b);
    expect(changed[0]?.difference).toMatchObject({ equal: 1, maxAbs: 1, firstAt: 1 });
  });

  it("finds the one number that changed far into a large tensor, and the angle over all of it", async () => {
    const numbers = Float32Array.from({ length: 3_000_000 }, (_, i) => i % 5);
    const other = numbers.slice();
    other[2_999_998] = 1000;
    const { changed } = await compareCheckpoints(stateDict({ x: numbers }), stateDict({ x: other }));
    expect(changed[0]?.difference).toMatchObject({ count: 3_000_000, equal: 2_999_999, maxAbs: 997, firstAt: 2_999_998 });
    let [dot, a2, b2] = [0, 0, 0];
    for (const [i, x] of numbers.entries()) {
      const y = other[i] ?? 0;
      dot += x * y;
      a2 += x * x;
      b2 += y * y;
    }
    expect(changed[0]?.difference?.cosine).toBeCloseTo(dot / Math.sqrt(a2 * b2), 12);
  });

  it("gives what a plain loop gives", async () => {
    const numbers = fc.array(fc.float({ noDefaultInfinity: true }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        numbers,
        fc.infiniteStream(fc.float({ noDefaultInfinity: true })),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (xs, stream, rel) => {
          const ys = xs.map((x) => (Math.abs(x) > 1 ? x : stream.next().value));
          const found = await compareCheckpoints(stateDict({ x: Float32Array.from(xs) }), stateDict({ x: Float32Array.from(ys) }), {
            tolerance: { rel },
          });
          const outside = xs.filter((x, i) => {
            const y = ys[i] ?? 0;
            return Number.isNaN(x) !== Number.isNaN(y) || Math.abs(x - y) > rel * Math.abs(y);
          });
          expect(found.verdict).toBe(outside.length === 0 ? "same" : "different");
          const difference = found.changed[0]?.difference;
          if (difference) expect([difference.outside, difference.count]).toEqual([outside.length, xs.length]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("says which prefix keeps names from matching, and matches without it", async () => {
    const a = stateDict({ "model.a": f32(1), "model.b.c": f32(2) });
    const b = stateDict({ a: f32(1), "b.c": f32(2) });
    expect((await compareCheckpoints(a, b)).prefix).toEqual({ side: "a", prefix: "model.", matches: 2 });
    expect((await compareCheckpoints(b, a)).prefix).toEqual({ side: "b", prefix: "model.", matches: 2 });
    const rename = (name: string) => name.replace(/^model\./, "");
    expect(await compareCheckpoints(a, b, { rename })).toMatchObject({ verdict: "same", same: 2 });
  });

  it("reads no values when it is told not to, and only what is selected", async () => {
    const a = stateDict({ "enc.w": f32(1), "dec.w": f32(1, 2) });
    const b = stateDict({ "enc.w": f32(2), "dec.w": f32(1) });
    expect(await compareCheckpoints(a, b, { values: false, select: globFilter("enc.*") })).toMatchObject({
      verdict: "same",
      totals: { tensors: 1, bytesCompared: 0 },
    });
    expect((await compareCheckpoints(a, b, { values: false })).changed.map(({ what }) => what)).toEqual(["shape"]);
  });

  it("lists where the metadata differs, without letting it decide", async () => {
    const a = await openFixture("vit-tiny.ckpt");
    const { verdict, metadata } = await compareCheckpoints(a, { ...a, metadata: { ...a.metadata, epoch: 6, extra: [1] } });
    expect(verdict).toBe("same");
    expect(metadata).toEqual([
      { path: "epoch", a: 5, b: 6 },
      { path: "extra", b: [1] },
    ]);
  });

  it("reports progress to the end, and stops when it is told to", async () => {
    const [a, b] = [await openFixture("vit-tiny.ckpt"), await openFixture("vit-tiny.ckpt")];
    const seen: number[] = [];
    await compareCheckpoints(a, b, { onProgress: ({ done, total }) => seen.push(done / total) });
    expect(seen.at(-1)).toBe(1);
    expect([...seen].sort((x, y) => x - y)).toEqual(seen);
    const stop = new AbortController();
    await expect(compareCheckpoints(a, b, { signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) })).rejects.toThrow(
      "enough",
    );
    await expect(compareCheckpoints(a, b, { tolerance: { abs: -1 } })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
