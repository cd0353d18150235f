import { type MapNode, memorySource, Storage, type Tree, withLimits } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { detectLayout, extractStateDict, findStateDict } from "../src/index.js";
import { placeTensors } from "../src/place-tensors.js";
import { findTensors } from "../src/walk-tensors.js";

const tensor = (): Tree => ({
  kind: "tensor",
  tensor: { dtype: "U8", shape: [1], storage: new Storage({ id: "0", bytes: memorySource(new Uint8Array(1)) }), byteOffset: 0 },
});
const map = (entries: Record<string, Tree> | [Tree, Tree][], type = "dict"): MapNode => ({
  kind: "map",
  type,
  entries: Array.isArray(entries) ? entries : Object.entries(entries),
});
const module = (parts: { modules?: Record<string, Tree>; parameters?: Record<string, Tree>; buffers?: Record<string, Tree> }): Tree => ({
  kind: "object",
  type: "my.Module",
  attributes: map({ _modules: map(parts.modules ?? {}), _parameters: map(parts.parameters ?? {}), _buffers: map(parts.buffers ?? {}) }),
});

/** Path, name and group of every tensor of a tree. */
const placesOf = (tree: Tree): string[] =>
  placeTensors(tree, findTensors(tree, withLimits(), [])).map(({ path, name, group }) => `${path} > ${name} (${group})`);

describe("the layout of a checkpoint", () => {
  const weights = map({ w: tensor() });
  it.each<readonly [string, Tree, string]>([
    ["Lightning's version", map({ "pytorch-lightning_version": "2.6", state_dict: weights }), "lightning"],
    ["two of Lightning's keys", map({ callbacks: map({}), loops: map({}), state_dict: weights }), "lightning"],
    ["one of Lightning's keys alone", map({ callbacks: map({}), state_dict: weights }), "pytorch"],
    ["a training script's keys", map({ model_state_dict: weights, epoch: 1 }), "pytorch"],
    ["tensors only", weights, "state_dict"],
    ["tensors in an ordered dict", map({ w: tensor() }, "collections.OrderedDict"), "state_dict"],
    ["tensors that are not dense", map({ w: { kind: "object", type: "torch.sparse_coo" } }), "state_dict"],
    ["tensors and other values", map({ w: tensor(), epoch: 1 }), "pytorch"],
    ["nothing", map({}), "pytorch"],
    ["a tensor alone", tensor(), "pytorch"],
    ["a list of tensors", { kind: "list", type: "list", items: [tensor()] }, "pytorch"],
    ["a module", module({ parameters: { w: tensor() } }), "pytorch"],
    ["a number", 3, "pytorch"],
  ])("is told from %s", (_, tree, layout) => {
    expect(detectLayout(tree)).toBe(layout);
  });
});

describe("the state dict", () => {
  it("is looked for under state_dict, model_state_dict and model, in this order, and then at the root", () => {
    const [a, b, c] = [map({ a: tensor() }), map({ b: tensor() }), map({ c: tensor() })];
    expect(findStateDict(map({ model: c, model_state_dict: b, state_dict: a }))).toEqual({ keys: ["state_dict"], tree: a });
    expect(findStateDict(map({ model: c, model_state_dict: b }))).toEqual({ keys: ["model_state_dict"], tree: b });
    expect(findStateDict(map({ model: c, epoch: 1 }))).toEqual({ keys: ["model"], tree: c });
    expect(findStateDict(map({ model: map({}), epoch: 1 }))).toBeUndefined();
    expect(findStateDict(a)).toEqual({ keys: [], tree: a });
    // Quantised modules keep dtypes beside their tensors.
    const ordered = map({ w: tensor(), dtype: { kind: "global", name: "torch.qint8" } }, "collections.OrderedDict");
    expect(findStateDict(ordered)).toEqual({ keys: [], tree: ordered });
  });

  it("that is missing is an error that names the first ten keys", () => {
    const keys = Array.from({ length: 12 }, (_, index) => `key${index}`);
    const tree = map(Object.fromEntries(keys.map((key) => [key, 1])));
    expect(() => extractStateDict(tree)).toThrow(expect.objectContaining({ code: "NO_STATE_DICT", details: { keys: keys.slice(0, 10) } }));
    expect(() => extractStateDict(tree)).toThrow(/key9 \.\.\./);
    expect(() => extractStateDict(3)).toThrow(/not a map/);
  });
});

describe("tensors are placed", () => {
  it("as model weights under their names in the state dict, optimizer states, and others", () => {
    const tree = map({
      state_dict: map({ "layer.weight": tensor() }),
      optimizer_states: { kind: "list", type: "list", items: [map({ state: map([[0, map({ exp_avg: tensor() })]]) })] },
      optimizer: map({ x: tensor() }),
      ema: map({ "layer.weight": tensor() }),
    });
    expect(placesOf(tree)).toEqual([
      "state_dict.layer.weight > layer.weight (model)",
      "optimizer_states.0.state.0.exp_avg > optimizer_states.0.state.0.exp_avg (optimizer)",
      "optimizer.x > optimizer.x (optimizer)",
      "ema.layer.weight > ema.layer.weight (other)",
    ]);
  });

  it("at the root of a bare state dict, nested ones included", () => {
    expect(placesOf(map({ a: tensor(), b: tensor() }))).toEqual(["a > a (model)", "b > b (model)"]);
  });

  it("by the names that a pickled module would give them", () => {
    const inner = module({ parameters: { weight: tensor() }, buffers: { running: tensor() } });
    const whole = module({ modules: { conv: inner }, parameters: { scale: tensor() } });
    const names = ["conv.weight (model)", "conv.running (model)", "scale (model)"];
    expect(placesOf(whole).map((place) => place.split(" > ")[1])).toEqual(names);
    expect(placesOf(map({ model: whole, epoch: 1 })).map((place) => place.split(" > ")[1])).toEqual(names);
    expect(placesOf(map({ net: whole }))[0]).toBe("net._modules.conv._parameters.weight > net._modules.conv._parameters.weight (other)");
  });

  it("alone, without a path", () => {
    expect(placesOf(tensor())).toEqual([" >  (other)"]);
  });
});

describe("the walk over a tree", () => {
  it("goes through maps, lists, arguments, attributes, states and items, and not into sets", () => {
    const object: Tree = {
      kind: "object",
      type: "my.Thing",
      args: [tensor(), 1],
      attributes: map({ a: tensor() }),
      state: map({ s: tensor() }),
      items: [tensor()],
      entries: [[true, tensor()]],
    };
    const set: Tree = { kind: "list", type: "set", items: [tensor()] };
    expect(
      placesOf(map({ o: object, set, l: { kind: "list", type: "tuple", items: [1, tensor()] } })).map((place) => place.split(" > ")[0]),
    ).toEqual(["o.__args__.0", "o.a", "o.__state__.s", "o.0", "o.True", "l.1"]);
  });

  it("ends at its limits with a finding", () => {
    const many = map(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`w${index}`, tensor()])));
    for (const limits of [withLimits({ tensors: 10 }), withLimits({ treeVisits: 100 })]) {
      const findings: { rule: string }[] = [];
      expect(findTensors(many, limits, findings as never).length).toBeLessThan(20);
      expect(findings.map(({ rule }) => rule)).toEqual(["tree-budget"]);
    }
  });
});
