import { type Tree, watchCrc } from "@ckptkit/core";
import { expectSameBytes } from "@ckptkit/testkit";
import { jsKernels } from "@ckptkit/wasm/js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint, type ResolveTensor, writeTorch } from "../src/index.js";
import { output, samples, specOf } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";
import { text } from "./sparse-source.js";

import { DTYPES_WRITTEN, f32, list, map, options, resolveIn, tensorOf, written } from "./torch-trees.js";

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
          const watch = tensor?.storage && watchCrc(tensor.storage, jsKernels());
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
