import { describe, expect, it } from "vitest";
import { isPickleNode, type PickleValue, readPickle } from "../src/index.js";
import { PYTHON_PICKLES } from "./python-pickles.js";
import { bytes, dict, fromBase64, frozenset, global, list, real, set, tuple } from "./stream.js";

const namespace = (protocol: number): PickleValue => {
  const states = [dict(["lr", 0.1])];
  const Namespace = global("argparse", "Namespace");
  // Before protocol 2 there was no NEWOBJ: copyreg has a function for it.
  return protocol < 2
    ? {
        kind: "call",
        via: "REDUCE",
        callable: global("copyreg", "_reconstructor"),
        args: [Namespace, global("builtins", "object"), null],
        states,
      }
    : { kind: "call", via: "NEWOBJ", callable: Namespace, args: [], states };
};
const reduce = (module: string, name: string, args: PickleValue[], more: object = {}): PickleValue => ({
  kind: "call",
  via: "REDUCE",
  callable: global(module, name),
  args,
  ...more,
});

const VALUES: Record<Exclude<keyof typeof PYTHON_PICKLES, "cycles">, (protocol: number) => PickleValue> = {
  scalars: () =>
    list(
      ...[null, true, false, 0, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, -1, -(2 ** 31), -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER],
      ...[2n ** 53n, -(2n ** 63n), 10n ** 40n, -(10n ** 40n), 1n << 2100n],
      ...[-0.5, 0.00001, real(1), real(-0), real(1e300), Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
    ),
  strings: () =>
    list(
      ...["", "abc", `it's "so"`, "line\nfeed\\", "é€😀", "\ud800", "x".repeat(300), bytes(), bytes(0x61, 0x00, 0xff)],
      { kind: "bytearray", bytes: bytes() },
      { kind: "bytearray", bytes: bytes(0x78, 0x79, 0x7a) },
    ),
  containers: () =>
    list(
      ...[tuple(), tuple(1), tuple(1, 2), tuple(1, 2, 3), tuple(1, 2, 3, 4), list(), list(list()), dict()],
      dict(["__proto__", 1], [1, "one"], [2.5, null], [tuple(1, "a"), list()], [null, tuple()], [bytes(0x6b), true]),
      ...[set(), set(3), set(1, 2), frozenset(), frozenset(1, 2)],
    ),
  objects: (protocol) =>
    list(
      reduce("collections", "OrderedDict", [], {
        keysAndValues: ["b", 1, "a", 2],
      }),
      reduce("builtins", "complex", [real(1), -2.5]),
      reduce("collections", "deque", [tuple(), 5], { items: [1, 2] }),
      namespace(protocol),
      reduce("collections", "defaultdict", [global("builtins", "list")], { keysAndValues: ["k", list(0)] }),
      global("builtins", "int"),
      reduce("builtins", "range", [0, 3, 1]),
      reduce("pathlib", "PurePosixPath", ["a", "b"]),
    ),
};

describe("pickles made by CPython", () => {
  for (const [name, expected] of Object.entries(VALUES)) {
    it.each([0, 1, 2, 3, 4, 5])(`hold the same ${name} in protocol %d`, (protocol) => {
      const input = fromBase64(PYTHON_PICKLES[name as keyof typeof VALUES][protocol] ?? ""); // the keys of VALUES
      const pickle = readPickle(input);
      expect(pickle.value).toEqual(expected(protocol));
      expect(pickle.findings).toEqual([]);
      expect(pickle.end).toBe(input.length);
      // Without a PROTO opcode, protocol 1 is seen by its opcodes only.
      expect(pickle.protocol).toBe(protocol);
    });
  }

  it.each([0, 1, 2, 3, 4, 5])("keep shared and cyclic objects in protocol %d", (protocol) => {
    const { value } = readPickle(fromBase64(PYTHON_PICKLES.cycles[protocol] ?? ""));
    if (!isPickleNode(value) || value.kind !== "list") throw new Error("not a list");
    const [loop, shared, again] = value.items;
    if (!isPickleNode(loop) || loop.kind !== "list" || !isPickleNode(shared) || shared.kind !== "dict")
      throw new Error("not a list and a dict");
    expect(loop.items[0]).toBe(loop);
    expect(isPickleNode(loop.items[1]) && loop.items[1].kind === "tuple" && loop.items[1].items[0] === loop).toBe(true);
    expect(shared.keysAndValues[1]).toBe(shared);
    expect(again).toBe(shared);
  });

  it("list the names that they would import, as the stream spells them", () => {
    const { globals } = readPickle(fromBase64(PYTHON_PICKLES.objects[2]));
    expect(globals.map(({ module, name }) => `${module}.${name}`)).toEqual([
      "collections.OrderedDict",
      "__builtin__.complex",
      "collections.deque",
      "argparse.Namespace",
      "collections.defaultdict",
      "__builtin__.list",
      "__builtin__.long",
      "__builtin__.xrange",
      "pathlib.PurePosixPath",
    ]);
    expect(new Set(globals.map((use) => use.opcode))).toEqual(new Set(["GLOBAL"]));
  });
});
