import { type Checkpoint, memorySource } from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { codeOf } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { openTorchLegacy, openTorchZip } from "../src/index.js";
import { concat, fields, text } from "./sparse-source.js";
import { call, dict, global, legacyStack, list, tensor, torchZip, tuple } from "./torch-file.js";
import { legacySource, outcomeOf, rulesOf } from "./torch-outcomes.js";

describe("a graph that was made to exhaust its reader", () => {
  /** Opens quickly, in both containers: with the default limits, and with lower ones. */
  const open = async (value: PickleValue): Promise<Checkpoint[]> => {
    const started = performance.now();
    const limits = { treeVisits: 500_000 };
    const both = [await openTorchZip(torchZip(value)), await openTorchLegacy(legacySource(value), { limits })];
    expect(performance.now() - started).toBeLessThan(20_000);
    return both;
  };

  it("holds itself, and is followed once", async () => {
    const loop = dict({ w: tensor() });
    loop.keysAndValues.push("self", loop, "list", list(loop, loop));
    for (const checkpoint of await open(loop)) {
      expect(checkpoint.tensors.map(({ path }) => path)).toEqual(["w"]);
      expect(checkpoint.metadata).toEqual({ self: { $ref: "cycle" }, list: [{ $ref: "cycle" }, { $ref: "cycle" }] });
    }
  });

  it("is nested to any depth", async () => {
    const nest = (levels: number): PickleValue => {
      let value: PickleValue = tensor();
      for (let level = 0; level < levels; level++) value = list(value);
      return value;
    };
    for (const checkpoint of await open(nest(900))) expect(checkpoint.tensors[0]?.keys.length).toBe(900);
    const opcodes = (levels: number): Uint8Array => concat(text("]".repeat(levels)), text("a".repeat(levels - 1)), text("."));
    for (const levels of [1_100, 100_000]) {
      expect(await codeOf(openTorchZip(torchZip(opcodes(levels))))).toBe("LIMIT_EXCEEDED");
      expect(await codeOf(openTorchLegacy(memorySource(legacyStack(opcodes(levels), []))))).toBe("LIMIT_EXCEEDED");
    }
  });

  it("is nested in the names of classes, in calls of constructors and in shapes", async () => {
    // getattr(getattr(...), "a"), 100,000 deep: BINGET of getattr, the inner one, the name, TUPLE2, REDUCE.
    const levels = 100_000;
    const parts = [text("cbuiltins\ngetattr\nq\x000cos\npath\nq\x01")];
    const step = concat(text("0h\x00h\x01U\x01a"), fields([1, 0x86]), text("Rq\x01"));
    for (let level = 0; level < levels; level++) parts.push(step);
    const outcome = await outcomeOf(openTorchZip(torchZip(concat(...parts, text(".")))).then(() => "opened"));
    expect(outcome).toBe("LIMIT_EXCEEDED");
  });

  it("shares its parts so that its paths are exponentially many", async () => {
    let value: PickleValue = dict({ w: tensor() });
    for (let level = 0; level < 40; level++) value = dict({ a: value, b: value });
    for (const checkpoint of await open(value)) {
      expect(rulesOf(checkpoint)).toEqual(["tree-budget"]);
      expect(checkpoint.tensors.length).toBeGreaterThan(1000);
    }
  });

  it("shares parts without a tensor exponentially often", async () => {
    let value: PickleValue = dict({ x: 1 });
    for (let level = 0; level < 60; level++) value = list(value, value);
    for (const checkpoint of await open(dict({ deep: value, w: tensor() }))) {
      expect(checkpoint.tensors.length).toBe(1);
      expect(rulesOf(checkpoint)).toEqual([]);
    }
  });

  it("shares exponentially in a key", async () => {
    let key: PickleValue = tuple("k");
    for (let level = 0; level < 60; level++) key = tuple(key, key);
    for (const checkpoint of await open(dict([[key, tensor()]]))) expect(checkpoint.tensors[0]?.path.length).toBeLessThan(2000);
  });

  it("repeats a long key before many tensors", async () => {
    const key = "k".repeat(100_000);
    const many = dict(Array.from({ length: 3_000 }, (_, index) => [`w${index}`, tensor()]));
    const [checkpoint] = await open(dict([[key, dict([[key, many]])]]));
    expect(checkpoint && rulesOf(checkpoint)).toEqual(["tree-budget"]);
  });

  it("gives one long list to many constructors", async () => {
    const long = list(...new Array<number>(20_000).fill(7));
    const calls = Array.from({ length: 5_000 }, () => call("collections.deque", long));
    expect(await codeOf(openTorchZip(torchZip(list(...calls))))).toBe("LIMIT_EXCEEDED");
    const state = dict(Array.from({ length: 20_000 }, (_, index) => [`attribute${index}`, index]));
    const objects = Array.from({ length: 5_000 }, () => ({ ...call("a.Thing"), states: [state] }));
    const [checkpoint] = await open(list(...objects));
    expect(checkpoint?.tensors).toEqual([]);
  });

  it("hides a tensor in an argument of its own making", async () => {
    const items = list();
    const made = call("builtins.tuple", items);
    items.items.push(made, tensor());
    for (const checkpoint of await open(made)) expect(checkpoint.tensors.map(({ path }) => path)).toEqual(["1"]);
  });

  it("has more than a hundred thousand tensors in one ordered dict", async () => {
    const keysAndValues = Array.from({ length: 130_000 }, (_, index): PickleValue[] => [
      `w${index}`,
      index % 50_000 === 0 ? tensor() : index,
    ]).flat();
    for (const checkpoint of await open({ ...call("collections.OrderedDict"), keysAndValues })) expect(checkpoint.tensors.length).toBe(3);
  });
});

describe("names that mean something elsewhere", () => {
  it("are keys like any other: __proto__, constructor, toString", async () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const value = dict([
      ...names.map((name): [PickleValue, PickleValue] => [name, tensor()]),
      ["__proto__", dict({ __proto__: 1, polluted: true })],
    ]);
    const { tensors, metadata } = await openTorchZip(torchZip(dict({ state_dict: value, ["__proto__"]: dict({ polluted: true }) })));
    expect(tensors.map(({ name }) => name).sort()).toEqual(names.filter((name) => name !== "__proto__").sort());
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("of constructors that are inherited by every object stay opaque", async () => {
    for (const name of ["torch.toString", "torch._utils.__proto__", "torch.constructor", "torch.hasOwnPropertyStorage"]) {
      const checkpoint = await openTorchZip(
        torchZip(dict({ x: call(name, 1), layout: call("torch._utils._rebuild_sparse_tensor", global(name), tuple()) })),
      );
      expect(checkpoint.tensors).toEqual([]);
    }
  });

  it("of functions are shown and never called", async () => {
    const { metadata, tree } = await openTorchZip(torchZip(dict({ x: call("os.system", "touch /tmp/owned"), f: global("builtins.eval") })));
    expect(metadata).toEqual({ x: { $type: "os.system", $args: ["touch /tmp/owned"] }, f: "builtins.eval" });
    expect(tree).toMatchObject({ kind: "map" });
  });

  it("of classes that a legacy file stores with their source are shown", async () => {
    const cls: PickleValue = { kind: "persistent", id: tuple("module", global("my.models.Net"), "/home/me/models.py", "class Net: ...") };
    const made: PickleValue = { kind: "call", via: "REDUCE", callable: cls, args: [], states: [dict({ width: 3 })] };
    const { metadata } = await openTorchLegacy(memorySource(legacyStack(made, [])));
    expect(metadata).toEqual({ $type: "my.models.Net", width: 3 });
  });
});
