import { DTYPES, type DType, decodedTensor, type OutputTensor } from "@ckptkit/core";
import { expectSameBytes } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { jsKernels } from "@ckptkit/wasm/js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type GgufValue, ggufMetadataFor, ggufMetadataOf, openCheckpoint, writeGguf, writeNpz } from "../src/index.js";
import { openBytes } from "./arrays.js";
import { output, type Sample, samples } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";

const kernels = jsKernels();
const NPZ: readonly DType[] = ["BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "F32", "F64", "C64", "C128"];
const GGUF: readonly DType[] = ["I8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64"];
const settings = (fileName: string) => ({ fileName, buffer: new Uint8Array(64), kernels });
const sample = (name: string, dtype: DType, shape: number[]): Sample => ({
  name,
  dtype,
  shape,
  bytes: new Uint8Array((shape.reduce((product, size) => product * size, 1) * DTYPES[dtype].bits) / 8),
});

describe.each([
  ["npz", NPZ],
  ["gguf", GGUF],
] as const)("what is written as %s", (format, dtypes) => {
  const write = (all: readonly Sample[], files = memoryFiles()) =>
    (format === "npz" ? writeNpz : writeGguf)(
      all.map((one) => output(one)),
      files.create,
      settings(`out.${format}`),
    );

  it("is read back: any names, dtypes, shapes and bytes, also by the strict mode", async () => {
    await fc.assert(
      fc.asyncProperty(samples(dtypes), async (all) => {
        const files = memoryFiles();
        const { files: told } = await write(all, files);
        expect(told).toEqual([{ name: `out.${format}`, byteLength: files.source(`out.${format}`).size }]);
        const checkpoint = await openCheckpoint(files.source(`out.${format}`), { mode: "strict" });
        expect([checkpoint.format, checkpoint.findings]).toEqual([format, []]);
        const found = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
        expect([...found.keys()].sort()).toEqual(all.map(({ name }) => name).sort());
        for (const { name, dtype, shape, bytes } of all) {
          expect([found.get(name)?.dtype, found.get(name)?.shape], name).toEqual([dtype, shape]);
          expectSameBytes(await found.get(name)?.read(), bytes);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is not there when the disk is full", async () => {
    const files = memoryFiles(2);
    await expect(write([sample("a", "F32", [100])], files)).rejects.toThrow("the disk is full");
    expect(files.visible()).toEqual([]);
  });

  it("says which tensors it cannot hold", async () => {
    await expect(write([sample("a", "F8_E4M3", [2])])).rejects.toMatchObject({
      code: "UNSUPPORTED_DTYPE",
      message: expect.stringContaining('"a" (F8_E4M3)'),
    });
    await expect(write([sample("a\ud800", "F32", [2])])).rejects.toMatchObject({ code: "NAME_CONFLICT" });
    await expect(write([sample("a", "F32", [2]), sample("a", "F32", [2])])).rejects.toMatchObject({ code: "NAME_CONFLICT" });
    const short = { ...output(sample("a", "F32", [2])), shape: [3] };
    const into = memoryFiles();
    await expect(writeGguf([short], into.create, settings("x"))).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("GGUF", () => {
  it("keeps the types of metadata that came from GGUF, and takes plain values of other checkpoints", async () => {
    const original = await openBytes(await loadFixture("gguf-types.gguf"), "gguf-types.gguf");
    const metadata = ggufMetadataFor(original, { "general.name": "given" });
    const files = memoryFiles();
    await writeGguf([], files.create, { ...settings("x.gguf"), metadata });
    const written = await openCheckpoint(files.source("x.gguf"));
    const expected = new Map<string, GgufValue>([
      ...(ggufMetadataOf(original) ?? []),
      ["general.name", { type: "string", value: "given" }],
    ]);
    expect(ggufMetadataOf(written)).toEqual(expected);
    expect(
      Object.fromEntries(ggufMetadataFor({ tree: null, metadata: { epoch: 3, lr: 0.5, on: true, nested: { a: [1] }, none: null } })),
    ).toEqual({
      "general.architecture": { type: "string", value: "unknown" },
      epoch: { type: "int64", value: 3 },
      lr: { type: "float64", value: 0.5 },
      on: { type: "bool", value: true },
      nested: { type: "string", value: '{"a":[1]}' },
    });
  });

  it("copies quantised blocks as they are", async () => {
    const original = await openBytes(await loadFixture("gguf-types.gguf"), "gguf-types.gguf");
    const outputs = original.tensors.map(
      (tensor): OutputTensor => ({
        name: tensor.name,
        dtype: tensor.dtype,
        shape: tensor.shape,
        byteLength: tensor.byteLength,
        tieKey: tensor.path,
        chunks: (buffer, options) => tensor.chunks(buffer, options),
      }),
    );
    const files = memoryFiles();
    await writeGguf(outputs, files.create, { ...settings("x.gguf"), buffer: new Uint8Array(1000) });
    const written = await openCheckpoint(files.source("x.gguf"), { mode: "strict" });
    for (const [index, tensor] of original.tensors.entries()) expectSameBytes(await written.tensors[index]?.read(), await tensor.read());
  });

  it("in Q8_0 is within half a step of the scale, whatever the size of pieces", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 5 })
          .chain((rows) => fc.float32Array({ minLength: rows * 64, maxLength: rows * 64, min: -1000, max: 1000, noNaN: true })),
        fc.integer({ min: 1, max: 300 }),
        async (numbers, bufferBytes) => {
          const shape = [numbers.length / 64, 64];
          const bytes = new Uint8Array(numbers.slice().buffer);
          const files = memoryFiles();
          const given = [
            output({ name: "w", dtype: "F32", shape, bytes }),
            output({ name: "bias", dtype: "F32", shape: [64], bytes: bytes.slice(0, 256) }),
          ];
          await writeGguf(given, files.create, { ...settings("x.gguf"), buffer: new Uint8Array(bufferBytes), quantize: "Q8_0" });
          const { tensors } = await openCheckpoint(files.source("x.gguf"), { mode: "strict" });
          expect(tensors.map(({ dtype }) => dtype)).toEqual(["Q8_0", "F32"]);
          const read = tensors[0] && (await decodedTensor(tensors[0]).read());
          const back = new Float32Array(read?.buffer ?? new ArrayBuffer(0));
          for (let first = 0; first < numbers.length; first += 32) {
            const most = Math.max(...numbers.subarray(first, first + 32).map(Math.abs));
            // The scale is a float16: 11 bits, and subnormal below 2^-14.
            const allowed = (most / 127) * (0.5 + 127 * 2 ** -11) + 127 * 2 ** -25 + 1e-30;
            for (let i = first; i < first + 32; i++) expect(Math.abs((back[i] ?? 0) - (numbers[i] ?? 0))).toBeLessThanOrEqual(allowed);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("has four axes at most, and says which names llama.cpp refuses", async () => {
    const files = memoryFiles();
    const five = output(sample("w", "F32", [1, 1, 1, 1, 2]));
    await expect(writeGguf([five], files.create, settings("x.gguf"))).rejects.toMatchObject({ code: "UNSUPPORTED_SHAPE" });
    const { findings } = await writeGguf([output(sample("w".repeat(64), "F32", [1]))], files.create, settings("x.gguf"));
    expect(findings).toMatchObject([{ rule: "gguf-long-name" }]);
  });
});
