import { type Checkpoint, DTYPES, type DType, type ListNode, type MapNode, type Tree } from "@ckptkit/core";
import { codeOf, expectSameBytes } from "@ckptkit/testkit";
import { jsKernels } from "@ckptkit/wasm/js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint, type ResolveTensor, type TorchWriteOptions, writeTorch } from "../src/index.js";
import { storageClassOf, torchNameOf } from "../src/torch/dtypes.js";
import { output, type Sample, samples, specOf } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";
import { sparseKernels, sparseSink, zeroTensor } from "./sparse-sink.js";
import { text } from "./sparse-source.js";

const options = (more: Partial<TorchWriteOptions> = {}): TorchWriteOptions => ({
  fileName: "model.pt",
  buffer: new Uint8Array(64),
  kernels: jsKernels(),
  ...more,
});

/** Dtypes that torch can save without further parameters. */
const DTYPES_WRITTEN = (Object.keys(DTYPES) as DType[]).filter(
  (dtype) => torchNameOf(dtype) !== undefined && DTYPES[dtype].kind !== "quantized" && DTYPES[dtype].bits >= 8,
);

const map = (entries: [Tree, Tree][], type = "collections.OrderedDict"): MapNode => ({ kind: "map", type, entries });
const list = (type: string, ...items: Tree[]): ListNode => ({ kind: "list", type, items });
const f32 = (name: string, ...values: number[]): Sample => ({
  name,
  dtype: "F32",
  shape: [values.length],
  bytes: new Uint8Array(new Float32Array(values).buffer),
});

/** Writes a tree that holds samples, and opens it. */
async function written(tree: Tree, all: readonly Sample[], more: Partial<TorchWriteOptions> = {}): Promise<Checkpoint> {
  const files = memoryFiles();
  const { findings } = await writeTorch(tree, resolveIn(all), files.create, options(more));
  const checkpoint = await openCheckpoint(files.source(more.fileName ?? "model.pt"));
  return { ...checkpoint, findings: [...checkpoint.findings, ...findings] };
}

const resolveIn =
  (all: readonly Sample[]): ResolveTensor =>
  (spec) => {
    const sample = all.find(({ name }) => name === spec.storage?.id);
    if (!sample) throw new Error("Not one of the samples.");
    return output(sample);
  };

const tensorOf = (sample: Sample): Tree => ({ kind: "tensor", tensor: specOf(sample) });

describe("what is written as a torch archive", () => {
  it("is read back: any names, dtypes, shapes and bytes, with a CRC-32 for every storage", async () => {
    await fc.assert(
      fc.asyncProperty(samples(DTYPES_WRITTEN), async (all) => {
        const { tensors, findings } = await written(map(all.map((each) => [each.name, tensorOf(each)])), all);
        expect(findings).toEqual([]);
        expect(tensors.map(({ keys }) => keys)).toEqual(all.map(({ name }) => [name]));
        for (const [index, { dtype, shape, bytes, name }] of all.entries()) {
          const tensor = tensors[index];
          expect([tensor?.dtype, tensor?.shape], name).toEqual([dtype, shape]);
          const watch = tensor?.storage?.watchCrc(jsKernels());
          expectSameBytes(await tensor?.read(), bytes);
          await watch?.finish();
        }
      }),
      { numRuns: 60 },
    );
  });

  it("keeps the values beside the tensors", async () => {
    const plain: [Tree, Tree][] = [
      ["none", null],
      ["yes", true],
      ["integer", -3],
      ["large", 2n ** 70n],
      ["real", { kind: "real", value: 2 }],
      ["fraction", 0.1],
      ["text", "größe 重み"],
      ["bytes", new Uint8Array([0, 255, 10])],
      ["list", list("list", 1, list("list"), "x")],
      ["tuple", list("tuple", 1, 2)],
      ["set", list("set", 1, "a")],
      ["size", list("torch.Size", 2, 3)],
      ["dtype", { kind: "global", name: "torch.bfloat16" }],
      ["counter", map([["a", 2]], "collections.Counter")],
      ["__proto__", map([["x", 1]], "dict")],
      [7, map([], "dict")],
      [list("tuple", "a", 1), null],
      ["device", { kind: "object", type: "torch.device", args: ["cuda", 0] }],
    ];
    const { tree, findings } = await written(map(plain, "dict"), []);
    expect(findings).toEqual([]);
    expect(tree).toEqual(map(plain, "dict"));
  });

  it("keeps attributes of an ordered dict, shared parts and cycles", async () => {
    const shared = map([["x", 1]], "dict");
    const root = map([
      ["a", shared],
      ["b", shared],
    ]);
    root.attributes = map([["_metadata", map([["", map([["version", 1]], "dict")]])]], "dict");
    root.entries.push(["self", root]);
    const { tree } = await written(root, []);
    if (typeof tree !== "object" || tree === null || !("kind" in tree) || tree.kind !== "map") throw new Error("Not a map.");
    const [a, b, self] = tree.entries.map(([, value]) => value);
    expect(a).toBe(b);
    expect(self).toBe(tree);
    expect(tree.attributes?.entries[0]?.[0]).toBe("_metadata");
  });

  it("turns what the restricted loader would refuse into the nearest that it takes, or leaves it out and says so", async () => {
    const odd = map([
      ["default", map([["a", 1]], "collections.defaultdict")],
      ["frozen", list("frozenset", 1)],
      ["deque", list("collections.deque", 1)],
      ["object", { kind: "object", type: "argparse.Namespace" }],
      ["function", { kind: "global", name: "torch.load" }],
      ["alias", { kind: "global", name: "torch.float" }],
      [list("frozenset", 1), 1],
      ["kept", list("list", { kind: "object", type: "my.Thing" }, 5)],
    ]);
    const { tree, findings } = await written(odd, []);
    expect(tree).toEqual(
      map([
        ["default", map([["a", 1]], "dict")],
        ["frozen", list("set", 1)],
        ["deque", list("list", 1)],
        ["kept", list("list", null, 5)],
      ]),
    );
    expect(findings.map(({ rule, at }) => `${rule} ${at}`)).toEqual([
      "not-converted object",
      "not-converted function",
      "not-converted alias",
      "not-converted frozenset({1})",
      "not-converted kept.0",
    ]);
  });

  it("leaves a tuple that holds itself out", async () => {
    const loop = list("tuple", 1);
    loop.items.push(loop);
    const { tree, findings } = await written(map([["loop", loop]]), []);
    expect(tree).toEqual(map([["loop", list("tuple", 1, null)]]));
    expect(findings.map(({ rule }) => rule)).toEqual(["not-converted"]);
  });

  it("holds tied tensors once", async () => {
    const one = f32("one", 1, 2);
    const { tensors } = await written(
      map([
        ["a", tensorOf(one)],
        ["b", tensorOf(one)],
      ]),
      [one],
    );
    expect(tensors.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(tensors[0]?.storage).toBe(tensors[1]?.storage);
  });

  it("keeps requires_grad, and tensors that have no bytes", async () => {
    const one = f32("one", 1);
    const grad: Tree = { kind: "tensor", tensor: { ...specOf(one), requiresGrad: true } };
    const meta: Tree = { kind: "tensor", tensor: { dtype: "BF16", shape: [3, 2], storage: undefined, byteOffset: 0 } };
    const files = memoryFiles();
    const resolve: ResolveTensor = (spec, name) =>
      spec.storage ? output(one) : { ...output({ ...one, name, dtype: "BF16", shape: [3, 2] }), byteLength: 12 };
    await writeTorch(
      map([
        ["grad", grad],
        ["plain", tensorOf(one)],
        ["meta", meta],
      ]),
      resolve,
      files.create,
      options(),
    );
    const { tensors } = await openCheckpoint(files.source("model.pt"));
    expect(tensors.map(({ spec }) => [spec.dtype, spec.shape, spec.requiresGrad, spec.storage !== undefined])).toEqual([
      ["F32", [1], true, true],
      ["F32", [1], false, true],
      ["BF16", [3, 2], false, false],
    ]);
    expect(tensors[0]?.storage).toBe(tensors[1]?.storage);
  });

  it("has the file's stem as its root, and further records under it", async () => {
    const roots: readonly (readonly [string, string])[] = [
      ["model.pt", "model"],
      ["some/folder/a b.v1.ckpt", "a b.v1"],
      ["größe.pt", "größe"],
      [".pt", "archive"],
      ["...pt", "archive"],
    ];
    for (const [fileName, root] of roots) {
      const files = memoryFiles();
      await writeTorch(map([]), resolveIn([]), files.create, options({ fileName, records: new Map([["extra/a.json", text("{}")]]) }));
      const content = new TextDecoder().decode(files.sinks.get(fileName)?.bytes);
      for (const record of ["data.pkl", "byteorder", ".format_version", ".storage_alignment", "version", "extra/a.json"]) {
        expect(content, fileName).toContain(`${root}/${record}`);
      }
      expect((await openCheckpoint(files.source(fileName))).findings).toEqual([]);
    }
  });

  it("has its storages at multiples of 64 bytes, and is the same for the same input", async () => {
    const all = [f32("a", 1), f32("b", 1, 2, 3), f32("c")];
    const once = memoryFiles();
    const twice = memoryFiles();
    const tree = map(all.map((each) => [each.name, tensorOf(each)]));
    for (const files of [once, twice]) await writeTorch(tree, resolveIn(all), files.create, options());
    const bytes = once.sinks.get("model.pt")?.bytes ?? new Uint8Array(0);
    expectSameBytes(twice.sinks.get("model.pt")?.bytes, bytes);
    const needle = all[1]?.bytes ?? new Uint8Array(1);
    const at = bytes.findIndex((_, index) => needle.every((byte, offset) => bytes[index + offset] === byte));
    expect(at % 64).toBe(0);
  });
});

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
    const watch = tensors[2]?.storage?.watchCrc(jsKernels());
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
