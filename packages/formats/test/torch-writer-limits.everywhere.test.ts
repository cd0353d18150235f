import { DTYPES, type DType, type Tree, watchCrc } from "@ckptkit/core";
import { codeOf, expectSameBytes } from "@ckptkit/testkit";
import { jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { openCheckpoint, type ResolveTensor, writeTorch } from "../src/index.js";
import { storageClassOf, torchNameOf } from "../src/torch/dtypes.js";
import { output, type Sample, specOf } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";
import { sparseKernels, sparseSink, zeroTensor } from "./sparse-sink.js";
import { text } from "./sparse-source.js";

import { f32, map, options, resolveIn, tensorOf } from "./torch-trees.js";

describe("an archive of more than 4 GiB", () => {
  it("is written with zip64 fields where they are needed, and read back", async () => {
    const big = zeroTensor("big", 5 * 2 ** 30);
    const after = f32("after", 7, 8, 9);
    const target = sparseSink();
    const resolve: ResolveTensor = (_, name) => (name === "big" ? big : output({ ...after, name }));
    const spec = (name: string, elements: number): Tree => ({
      kind: "tensor",
      tensor: {
        ...specOf({ ...after, name }),
        shape: [elements],
        strides: [1],
        byteOffset: 0,
        storage: specOf(after).storage,
      },
    });
    await writeTorch(
      map([
        ["big", spec("big", 3)],
        ["after", spec("after", 3)],
        ["last", spec("last", 3)],
      ]),
      resolve,
      async () => target.sink,
      options({ kernels: sparseKernels(), fileName: "big.pt" }),
    );
    const { tensors, findings, byteLength } = await openCheckpoint(target.source());
    expect(byteLength).toBeGreaterThan(5 * 2 ** 30);
    // The CRC-32 of the zeros was left out: see sparse-sink.ts.
    expect(findings.map(({ rule }) => rule)).toEqual(["no-crc"]);
    expect(tensors.map(({ shape }) => shape)).toEqual([[(5 * 2 ** 30) / 4], [3], [3]]);
    for (const tensor of tensors.slice(1)) expectSameBytes(await tensor.read(), after.bytes);
    const storage = tensors[2]?.storage;
    const watch = storage && watchCrc(storage, jsKernels());
    await watch?.finish();
  });
});

describe("a torch archive that cannot be written leaves nothing behind", () => {
  const all = [f32("a", 1, 2), f32("b", 3)];
  const tree = map(all.map((each) => [each.name, tensorOf(each)]));

  it("whichever write fails", async () => {
    const good = memoryFiles();
    await writeTorch(tree, resolveIn(all), good.create, options());
    for (let failAt = 0; failAt < good.writes; failAt++) {
      const files = memoryFiles(failAt);
      await expect(writeTorch(tree, resolveIn(all), files.create, options())).rejects.toThrow("disk is full");
      expect(files.visible(), `write ${failAt}`).toEqual([]);
    }
  });

  it("when a tensor gives other bytes than it declares, or a record stands twice", async () => {
    const files = memoryFiles();
    const short: ResolveTensor = (spec, name) => ({ ...resolveIn(all)(spec, name), byteLength: 100, shape: [25] });
    expect(await codeOf(writeTorch(tree, short, files.create, options()))).toBe("INVALID_ARGUMENT");
    const records = new Map([["data.pkl", text("another")]]);
    expect(await codeOf(writeTorch(tree, resolveIn(all), files.create, options({ records })))).toBe("INVALID_ARGUMENT");
    expect(files.visible()).toEqual([]);
  });

  it("when torch has no dtype for a tensor, or the root is an object", async () => {
    const files = memoryFiles();
    for (const dtype of (Object.keys(DTYPES) as DType[]).filter((each) => torchNameOf(each) === undefined && each !== "F4")) {
      const odd: Sample = { name: "odd", dtype, shape: [8], bytes: new Uint8Array(DTYPES[dtype].bits) };
      expect(storageClassOf(dtype)).toBeUndefined();
      expect(await codeOf(writeTorch(map([["odd", tensorOf(odd)]]), resolveIn([odd]), files.create, options()))).toBe("UNSUPPORTED_DTYPE");
    }
    expect(await codeOf(writeTorch({ kind: "object", type: "my.Model" }, resolveIn([]), files.create, options()))).toBe(
      "UNSUPPORTED_DTYPE",
    );
    expect(files.visible()).toEqual([]);
  });
});
