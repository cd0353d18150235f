import { createHash } from "node:crypto";
import { decodedTensor } from "@ckptkit/core";
import { convertCheckpoint, findNonFinite, histogram, readSlice, readTensorValues, scanCheckpoint } from "@ckptkit/inspect";
import { readFixture } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { describe, expect, it } from "vitest";
import { memoryFolder, openFixture } from "./opened.js";

interface Truth {
  path: string;
  dtype: string;
  shape: number[];
  sha256: string;
  numbersSha256?: string;
  min?: number;
  max?: number;
}

const kernels = await loadKernels();
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
// The generator wrote it in this shape.
const files = (JSON.parse(new TextDecoder().decode(await readFixture("arrays.json"))) as { files: { file: string; tensors: Truth[] }[] })
  .files;
const truthOf = (file: string): Truth[] => files.find((entry) => entry.file === file)?.tensors ?? [];
const models = ["gguf-types.gguf", "gguf-big-endian.gguf"];
const blocks = (file: string): Truth[] => truthOf(file).filter(({ numbersSha256 }) => numbersSha256 !== undefined);

describe.each(models)("the quantised tensors of %s", (file) => {
  it("are scanned as the numbers that gguf makes of them", async () => {
    const { tensors, skipped } = await scanCheckpoint(await openFixture(file), { kernels });
    expect(skipped).toEqual([]);
    for (const { path, dtype, min, max, shape } of blocks(file)) {
      const count = shape.reduce((product, size) => product * size, 1);
      expect(
        tensors.find((row) => row.path === path),
        path,
      ).toMatchObject({ dtype, count, min, max, nan: 0 });
    }
  });

  it("have values, histograms and slices of those numbers", async () => {
    const checkpoint = await openFixture(file);
    for (const { path, dtype, min, max, shape, numbersSha256 } of blocks(file)) {
      const tensor = checkpoint.tensors.find((each) => each.path === path);
      if (!tensor) throw new Error(`no ${path}`);
      const count = shape.reduce((product, size) => product * size, 1);
      const read = await readTensorValues(tensor, { count });
      expect([read.dtype, read.values.length], path).toEqual([dtype, count]);
      const numbers = Float32Array.from(read.values, (value) => Number(value));
      expect(sha256(new Uint8Array(numbers.buffer)), path).toBe(numbersSha256);
      expect(read.bytesRead, path).toBe(tensor.byteLength);
      const part = await readTensorValues(tensor, { start: 40, count: 10 });
      expect(part.values, path).toEqual(read.values.slice(40, 50));
      for (const options of [{}, { kernels }])
        expect(await histogram(tensor, options), path).toMatchObject({ count, finite: count, min, max, sampled: null });
      const plane = await readSlice(tensor, { maxRows: shape[0] ?? 1, maxColumns: shape[1] ?? 1 });
      expect(sha256(new Uint8Array(plane.values.buffer)), path).toBe(sha256(new Uint8Array(numbers.map((x) => x).buffer)));
      expect(await findNonFinite(tensor, { kernels }), path).toEqual([]);
    }
  });

  it("become numbers when they are cast, stay blocks in GGUF, and are refused where nothing holds them", async () => {
    const checkpoint = await openFixture(file);
    for (const to of ["safetensors", "npz"] as const) {
      const folder = memoryFolder();
      await expect(convertCheckpoint(checkpoint, folder.create, { kernels, fileName: "x", to })).rejects.toMatchObject({
        code: "UNSUPPORTED_DTYPE",
      });
      await convertCheckpoint(checkpoint, folder.create, { kernels, fileName: "out", to, dtype: "F32" });
      const { tensors } = await folder.open("out");
      for (const { path, numbersSha256, shape } of blocks(file)) {
        const tensor = tensors.find((each) => each.path === path);
        expect([tensor?.dtype, tensor?.shape, tensor && sha256(await tensor.read())], path).toEqual(["F32", shape, numbersSha256]);
      }
    }
    const folder = memoryFolder();
    await convertCheckpoint(checkpoint, folder.create, { kernels, fileName: "out.gguf", to: "gguf" });
    const written = await folder.open("out.gguf");
    expect(written.metadata).toEqual(checkpoint.metadata);
    for (const { path, dtype, sha256: digest } of truthOf(file)) {
      const tensor = written.tensors.find((each) => each.path === path);
      expect([tensor?.dtype, tensor && sha256(await tensor.read())], path).toEqual([dtype, digest]);
    }
  });
});

describe("converting to GGUF", () => {
  it("keeps what training knows, and quantises matrices when that is asked for", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const folder = memoryFolder();
    await convertCheckpoint(checkpoint, folder.create, {
      kernels,
      fileName: "m.gguf",
      to: "gguf",
      quantize: "Q8_0",
      metadata: { "general.name": "vit" },
    });
    const { tensors, metadata } = await folder.open("m.gguf");
    expect(metadata).toMatchObject({
      epoch: 5,
      global_step: 96,
      "general.name": "vit",
      "general.file_type": 7,
      "general.quantization_version": 2,
    });
    const original = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
    for (const tensor of tensors) {
      const before = original.get(tensor.name);
      expect(tensor.shape).toEqual(before?.shape);
      const isMatrix = tensor.shape.length >= 2 && (tensor.shape.at(-1) ?? 0) % 32 === 0;
      expect(tensor.dtype, tensor.path).toBe(isMatrix ? "Q8_0" : before?.dtype);
      if (isMatrix) expect(decodedTensor(tensor).dtype).toBe("F32");
    }
    expect(tensors.some(({ dtype }) => dtype === "Q8_0")).toBe(true);
  });
});

describe("converting to npz", () => {
  it("keeps every weight", async () => {
    const checkpoint = await openFixture("conv-bn.pt");
    const folder = memoryFolder();
    await convertCheckpoint(checkpoint, folder.create, { kernels, fileName: "m.npz", to: "npz" });
    const written = new Map((await folder.open("m.npz")).tensors.map((tensor) => [tensor.name, tensor]));
    for (const tensor of checkpoint.tensors.filter(({ group }) => group === "model")) {
      const found = written.get(tensor.name);
      expect([found?.dtype, found?.shape], tensor.name).toEqual([tensor.dtype, tensor.shape]);
      expect(found && sha256(await found.read())).toBe(sha256(await tensor.read()));
    }
  });
});
