import { decodedTensor, memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { openCheckpointSync } from "../src/index.js";
import { arrayFiles, openBytes } from "./arrays.js";
import { sha256 } from "./truth.js";

const files = await arrayFiles();

/** Findings of files that hold more than tensors. */
const FINDINGS: Readonly<Record<string, readonly string[]>> = {
  "np-odd.npz": ["npy-object-array", "npy-no-numbers", "npy-object-array"],
};

describe.each(files.map((entry) => [entry.file, entry] as const))("%s", (file, { format, byteLength, tensors: truths }) => {
  it("gives every tensor with the bytes that numpy and gguf give", async () => {
    const checkpoint = await openBytes(await loadFixture(file), file);
    expect([checkpoint.format, checkpoint.layout, checkpoint.byteLength]).toEqual([format, "state_dict", byteLength]);
    expect(checkpoint.findings.map(({ rule }) => rule)).toEqual(FINDINGS[file] ?? []);
    expect(checkpoint.tensors.map(({ path }) => path)).toEqual(truths.map(({ path }) => path));
    for (const [index, truth] of truths.entries()) {
      const tensor = checkpoint.tensors[index];
      expect([tensor?.dtype, tensor?.shape, tensor?.byteLength, tensor?.group], truth.path).toEqual([
        truth.dtype,
        truth.shape,
        truth.byteLength,
        "model",
      ]);
      if (tensor) expect(await sha256(await tensor.read()), truth.path).toBe(truth.sha256);
    }
    await checkpoint.close();
  });

  it("gives the numbers of quantised blocks to the last bit, whole and in pieces", async () => {
    const { tensors } = await openBytes(await loadFixture(file), file);
    for (const [index, { path, numbersSha256 }] of truths.entries()) {
      const tensor = tensors[index];
      if (!tensor || numbersSha256 === undefined) continue;
      const numbers = decodedTensor(tensor);
      expect([numbers.dtype, numbers.shape], path).toEqual(["F32", tensor.shape]);
      const whole = await numbers.read();
      expect(await sha256(whole), path).toBe(numbersSha256);
      const piece = new Uint8Array(4 * 37);
      await numbers.readInto(piece, 4 * 101);
      expect(piece, path).toEqual(whole.subarray(4 * 101, 4 * 138));
    }
  });

  it("opens without waiting, unless it is compressed", async () => {
    const source = memorySource(await loadFixture(file), file);
    if (file === "np-deflated.npz") expect(() => openCheckpointSync(source)).toThrow(/cannot be done without waiting: inflating/);
    else expect(openCheckpointSync(source).tensors).toHaveLength(truths.length);
  });
});

it("metadata of GGUF is plain JSON, with the first values of long arrays and all of them in the tree", async () => {
  for (const file of ["gguf-types.gguf", "gguf-big-endian.gguf"]) {
    const { metadata, tree } = await openBytes(await loadFixture(file), file);
    expect(metadata).toEqual({
      "general.architecture": "test",
      "a.uint8": 200,
      "a.int8": -5,
      "a.uint16": 65535,
      "a.int16": -3,
      "a.uint32": 2 ** 32 - 1,
      "a.int32": -7,
      "a.float32": 0.5,
      "a.bool": true,
      "a.string": "größe 重み",
      "a.uint64": String(2n ** 63n),
      "a.int64": 1 - 2 ** 53,
      "a.float64": 1e300,
      "a.numbers": [1, 2, 3],
      "a.words": ["<s>", "größe"],
      "a.flags": [true, false],
      "a.many": { $type: "array<int32>", count: 1000, first: Array.from({ length: 16 }, (_, index) => index) },
    });
    const all = JSON.stringify(tree, (_, value: unknown) =>
      typeof value === "bigint" ? String(value) : value instanceof Object && "storage" in value ? undefined : value,
    );
    expect(all).toContain("997,998,999]");
  }
});

it("arrays of objects stay closed, and say what they are", async () => {
  const { tree, findings } = await openBytes(await loadFixture("np-odd.npz"), "np-odd.npz");
  const entries = (tree as { entries: [string, { kind: string; type?: string }][] }).entries; // a map, as every npz gives
  const kinds = Object.fromEntries(entries.map(([name, { kind, type }]) => [name, type ?? kind]));
  expect(kinds).toMatchObject({ objects: "numpy.ndarray", records: "numpy.ndarray", text: "tensor", plain: "tensor" });
  expect(findings[0]).toMatchObject({ at: "objects", message: expect.stringContaining("stored as a pickle: it was not read") });
});
