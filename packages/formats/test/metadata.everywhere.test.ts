import { type Json, type MapNode, type Tree, withLimits } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { describeTree } from "../src/index.js";

const map = (entries: Record<string, Tree> | [Tree, Tree][], type = "dict"): MapNode => ({
  kind: "map",
  type,
  entries: Array.isArray(entries) ? entries : Object.entries(entries),
});
const list = (...items: Tree[]): Tree => ({ kind: "list", type: "list", items });
const tensor: Tree = { kind: "tensor", tensor: { dtype: "F32", shape: [1], storage: undefined, byteOffset: 0 } };
const object = (parts: Partial<Extract<Tree, { kind: "object" }>>): Tree => ({ kind: "object", type: "my.Thing", ...parts });

describe("the description of a tree as JSON", () => {
  it.each<readonly [string, Tree, Json]>([
    ["integers and real numbers", map({ a: 1, b: { kind: "real", value: 1 }, c: 0.5 }), { a: 1, b: 1, c: 0.5 }],
    ["integers beyond 2^53 - 1, as text", map({ a: 2n ** 60n }), { a: "1152921504606846976" }],
    [
      "numbers that JSON does not have",
      list(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
      { value: [{ $float: "nan" }, { $float: "inf" }, { $float: "-inf" }] },
    ],
    ["nothing within lists, told from tensors there", list(null, tensor, 1), { value: [null, { $tensor: true }, 1] }],
    ["text, truth and nothing", map({ a: "x", b: true, c: null }), { a: "x", b: true, c: null }],
    [
      "short bytes in base64, long ones by their size",
      map({ a: new Uint8Array([1, 255]), b: new Uint8Array(300) }),
      { a: { $bytes: "Af8=" }, b: { $bytes: 300 } },
    ],
    ["names", map({ a: { kind: "global", name: "torch.float32" } }), { a: "torch.float32" }],
    [
      "keys that are no text",
      map([
        [1, "a"],
        [null, "b"],
        [true, "c"],
      ]),
      { 1: "a", None: "b", True: "c" },
    ],
    ["empty maps and lists", map({ a: map({}), b: list() }), { a: {}, b: [] }],
    ["nothing of what holds tensors only", map({ epoch: 1, state_dict: map({ w: tensor }), nested: list(list(tensor)) }), { epoch: 1 }],
    ["a mark for tensors among other values", map({ a: list(1, tensor, list(tensor)) }), { a: [1, { $tensor: true }, { $tensor: true }] }],
    [
      "objects by class, arguments, attributes, state and items",
      object({ args: [1], attributes: map({ a: 2 }), state: "s", items: [3], entries: [["k", 4]] }),
      { $type: "my.Thing", $args: [1], $state: "s", $items: [3], a: 2, k: 4 },
    ],
    [
      "attributes that look like ours apart",
      object({ attributes: map({ $type: "other", $$x: 1 }) }),
      { $type: "my.Thing", $$type: "other", $$$x: 1 },
    ],
    ["a root that is no map", 7, { value: 7 }],
    ["a tensor alone as nothing", tensor, {}],
  ])("shows %s", (_, tree, json) => {
    expect(describeTree(tree)).toEqual(json);
  });

  it("keeps __proto__ a key like any other", () => {
    const described = describeTree(map({ ["__proto__"]: map({ polluted: true }) }));
    expect(Object.keys(described)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(described)).toBe(Object.prototype);
    expect(JSON.stringify(described)).toBe('{"__proto__":{"polluted":true}}');
  });

  it("follows a cycle once, and shows shared values each time", () => {
    const shared = map({ x: 1 });
    const root = map({ a: shared, b: shared });
    root.entries.push(["self", root]);
    expect(describeTree(root)).toEqual({ a: { x: 1 }, b: { x: 1 }, self: { $ref: "cycle" } });
  });

  it("is of bounded size and quickly made, however large or shared the tree is", () => {
    let shared: Tree = map({ x: 1 });
    for (let level = 0; level < 60; level++) shared = list(shared, shared);
    let tensors: Tree = map({ w: tensor });
    for (let level = 0; level < 60; level++) tensors = list(tensors, tensors);
    const wide: Tree = { kind: "list", type: "list", items: new Array<Tree>(1_000_000).fill(1) };
    const started = performance.now();
    expect(JSON.stringify(describeTree(list(shared, 1))).length).toBeLessThan(10_000_000);
    expect(describeTree(map({ tensors, epoch: 3 }))).toEqual({ epoch: 3 });
    const described = describeTree(list(wide, wide, wide)).value as unknown[][];
    expect(described[0]?.length).toBeLessThan(250_000);
    expect(described[0]?.at(-1)).toBe("...");
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it("tells epoch and settings of a checkpoint with more tensors than values that are shown", () => {
    const weights = map(Array.from({ length: 300_000 }, (_, index): [Tree, Tree] => [`w${index}`, tensor]));
    expect(describeTree(map({ state_dict: weights, epoch: 3 }))).toEqual({ epoch: 3 });
    expect(describeTree(map({ state_dict: weights, epoch: 3 }), withLimits({ treeVisits: 1000 }))).toMatchObject({ "...": "..." });
  });
});
