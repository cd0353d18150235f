import { memorySource } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { findNonFinite, scanCheckpoint } from "@ckptkit/inspect";
import { plainSafetensors } from "@ckptkit/testkit";
import { fixtures } from "@ckptkit/testkit/node";
import { jsKernels } from "@ckptkit/wasm/js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openFixture } from "./opened.js";

const kernels = jsKernels();

async function tensorOf(dtype: string, shape: number[], bytes: Uint8Array) {
  const { tensors } = await openCheckpoint(memorySource(plainSafetensors({ x: { dtype, shape, bytes } }), "x.safetensors"));
  const [tensor] = tensors;
  if (!tensor) throw new Error("The file has no tensor.");
  return tensor;
}

const kindOf = (x: number): string => (Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");

describe("findNonFinite", () => {
  it.each([
    ["F32", (numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer)],
    ["F64", (numbers: number[]) => new Uint8Array(Float64Array.from(numbers).buffer)],
  ])("finds every NaN and Inf of %s elements, with its place by axis", async (dtype, encode) => {
    const number = fc.oneof(fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0), fc.double({ min: -1e30, max: 1e30 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 60 }), async (rows) => {
        const numbers = rows.flat();
        const found = await findNonFinite(await tensorOf(dtype, [rows.length, 3], encode(numbers)), { kernels, limit: 1000 });
        const expected = numbers.flatMap((x, index) =>
          Number.isFinite(x) ? [] : [{ index, indices: [Math.floor(index / 3), index % 3], value: kindOf(x) }],
        );
        expect(found).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it("knows every pattern of the 16-bit floats", async () => {
    const patterns = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, bits) => bits).buffer);
    const brain = await findNonFinite(await tensorOf("BF16", [65536], patterns), { kernels, limit: 65536 });
    const word = new Uint32Array(1);
    const expected = Array.from({ length: 65536 }, (_, bits) => {
      word[0] = bits << 16;
      return new Float32Array(word.buffer)[0] ?? 0;
    });
    expect(brain).toEqual(expected.flatMap((x, index) => (Number.isFinite(x) ? [] : [{ index, indices: [index], value: kindOf(x) }])));
    const half = await findNonFinite(await tensorOf("F16", [65536], patterns), { kernels, limit: 65536 });
    expect([half.length, half[0], half[1]?.value]).toEqual([2 * 1024, { index: 0x7c00, indices: [0x7c00], value: "inf" }, "nan"]);
    expect(half.find(({ value }) => value === "-inf")?.index).toBe(0xfc00);
  });

  it("stops at the limit, begins where it is told to, and passes what is clean", async () => {
    const numbers = new Float32Array(3_000_000);
    for (const at of [5, 2_500_000, 2_999_999]) numbers[at] = Number.NaN;
    const tensor = await tensorOf("F32", [3_000_000], new Uint8Array(numbers.buffer));
    expect((await findNonFinite(tensor, { kernels })).map(({ index }) => index)).toEqual([5, 2_500_000, 2_999_999]);
    expect((await findNonFinite(tensor, { kernels, limit: 1 })).map(({ index }) => index)).toEqual([5]);
    expect((await findNonFinite(tensor, { kernels, from: 6, limit: 1 })).map(({ index }) => index)).toEqual([2_500_000]);
  });

  it.each(fixtures().filter(({ bytesWritten }) => bytesWritten !== false))("agrees with the scan of $file", async ({ file }) => {
    const checkpoint = await openFixture(file);
    const { tensors: rows } = await scanCheckpoint(checkpoint, { kernels });
    const scanned = checkpoint.tensors.filter((tensor) => rows.some(({ path }) => path === tensor.path));
    for (const [index, row] of rows.entries()) {
      const tensor = scanned[index];
      if (!tensor || tensor.path !== row.path) continue;
      const places = await findNonFinite(tensor, { kernels, limit: 100_000 });
      expect(places[0]?.index, row.path).toBe(row.firstNonFinite);
      const special = row.nan + row.posInf + row.negInf;
      // A complex element has two numbers and is told once.
      if (!row.dtype.startsWith("C")) expect(places.length, row.path).toBe(special);
    }
  });

  it("refuses dtypes whose values it does not know", async () => {
    await expect(findNonFinite(await tensorOf("F4", [2], new Uint8Array(1)), { kernels })).rejects.toMatchObject({
      code: "UNSUPPORTED_DTYPE",
    });
  });
});
