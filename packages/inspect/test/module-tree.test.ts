import { memorySource, Storage, TensorHandle } from "@ckptkit/core";
import { type ModuleNode, moduleTree } from "@ckptkit/inspect";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openFixture } from "./opened.js";

const storage = new Storage({ id: "all", bytes: memorySource(new Uint8Array(4096)) });
let offset = 0;

/** A tensor of a few float32 values, each at bytes of its own. */
function weight(name: string, shape: readonly number[] = [2]): TensorHandle {
  offset = (offset + 4) % 2048;
  return new TensorHandle({ dtype: "F32", shape, storage, byteOffset: offset }, { keys: [name], name, group: "model" });
}

const find = (root: ModuleNode, path: string): ModuleNode | undefined => {
  const open = [root];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.path === path) return next;
    open.push(...next.children);
  }
  return undefined;
};

describe("moduleTree", () => {
  it("nests modules by the dots of names, with the sums of what is below", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const root = moduleTree(checkpoint);
    expect(root).toMatchObject({ name: "", path: "", tensors: 44, parameters: 32_778, byteLength: 4 * 32_778, dtypes: { F32: 32_778 } });
    expect(root.children.map(({ path }) => path)).toEqual(["model"]);
    expect(find(root, "model.blocks")?.children.map(({ name }) => name)).toEqual(["0", "1", "2"]);
    expect(find(root, "model.blocks.0.attn.qkv")).toMatchObject({ tensors: 2, parameters: 96 * 32 + 96, children: [] });
    const head = find(root, "model.head");
    expect(head?.own.map(({ name, index }) => [name, checkpoint.tensors[index]?.path])).toEqual([
      ["weight", "state_dict.model.head.weight"],
      ["bias", "state_dict.model.head.bias"],
    ]);
  });

  it("shows other groups under their keys when they are asked for", async () => {
    const root = moduleTree(await openFixture("vit-tiny.ckpt"), { groups: ["optimizer"] });
    expect(root.children.map(({ name }) => name)).toEqual(["optimizer_states"]);
    expect(find(root, "optimizer_states.0.state.2")?.own.map(({ name }) => name)).toEqual(["step", "exp_avg", "exp_avg_sq"]);
  });

  it("counts tied weights where they stand first", async () => {
    const root = moduleTree(await openFixture("ties.pt"));
    expect(find(root, "embed")).toMatchObject({ tensors: 1, parameters: 60 });
    expect(find(root, "head")).toMatchObject({ tensors: 1, parameters: 0, byteLength: 0 });
  });

  it("keeps odd names: empty steps, __proto__, a module and a tensor of one name", () => {
    const root = moduleTree([weight(""), weight(".."), weight("__proto__.constructor"), weight("a"), weight("a.b")]);
    expect(root.own.map(({ name }) => name)).toEqual(["", "a"]);
    expect(root.children.map(({ path }) => path)).toEqual(["", "__proto__", "a"]);
    expect(root.tensors).toBe(5);
  });

  it("does not nest deeper than it may, so that a hostile name gives a tree that can be printed", () => {
    const deep = "x.".repeat(300_000);
    const root = moduleTree([weight(`${deep}weight`), weight("a.b.c")]);
    expect(JSON.stringify(root).length).toBeLessThan(2_000_000);
    let node = root;
    let depth = 0;
    for (; node.children[0]; node = node.children[0]) depth++;
    expect(depth).toBe(63);
    expect(moduleTree([weight("a.b.c.d")], { maxDepth: 2 }).children[0]?.own.map(({ name }) => name)).toEqual(["b.c.d"]);
  });

  it("has the same sum at the root however tensors are named, and loses none", () => {
    const names = fc.array(
      fc.string({ maxLength: 3, unit: fc.constantFrom("a", "b", ".") }).map((text) => text),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(names, (list) => {
        const tensors = list.map((name) => weight(name));
        const root = moduleTree(tensors, { maxDepth: 5 });
        const open = [root];
        const places: { name: string; index: number }[] = [];
        for (let next = open.pop(); next; next = open.pop()) {
          const path = next.path;
          for (const { name, index } of next.own) places.push({ name: next === root ? name : `${path}.${name}`, index });
          open.push(...next.children);
          const below = next.children.reduce((sum, child) => sum + child.tensors, next.own.length);
          expect(next.tensors).toBe(below);
        }
        expect(places.sort((a, b) => a.index - b.index).map(({ name }) => name)).toEqual(list);
      }),
      { numRuns: 100 },
    );
  });

  it("takes 500,000 tensors in seconds, on a busy machine too", () => {
    const tensors: TensorHandle[] = [];
    for (let at = 0; at < 500_000; at++) {
      tensors.push(weight(`model.layers.${Math.floor(at / 8000)}.mlp.experts.${Math.floor(at / 4) % 2000}.w${at % 4}`));
    }
    const started = performance.now();
    const root = moduleTree(tensors);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(root.tensors).toBe(500_000);
  });
});
