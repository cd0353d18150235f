import { describe, expect, it } from "vitest";
import { normalizeGlobal, type PickleValue, protocol2Global, pythonRepr, pythonStr } from "../src/index.js";
import { bytes, dict, frozenset, global, list, real, set, tuple } from "./stream.js";

describe("pythonStr", () => {
  // What str() of CPython 3.11 gives.
  it.each<[string, PickleValue]>([
    ["model.weight", "model.weight"],
    ["", ""],
    ["0", 0],
    ["-7", -7],
    ["123456789012345678901234567890", 123456789012345678901234567890n],
    ["True", true],
    ["False", false],
    ["None", null],
    ["1.0", real(1)],
    ["-0.0", real(-0)],
    ["0.1", 0.1],
    ["0.0001", 0.0001],
    ["1e-05", 0.00001],
    ["1.5e-07", 1.5e-7],
    ["5e-324", 5e-324],
    ["1234567.5", 1234567.5],
    ["1000000000000000.0", real(1e15)],
    ["1e+16", real(1e16)],
    ["1.2345678901234567e+19", real(1.2345678901234567e19)],
    ["1.7976931348623157e+308", real(1.7976931348623157e308)],
    ["nan", Number.NaN],
    ["inf", Number.POSITIVE_INFINITY],
    ["-inf", Number.NEGATIVE_INFINITY],
    ["()", tuple()],
    ["(1,)", tuple(1)],
    ["('a', 1)", tuple("a", 1)],
    ["(('a',), None, 1.0)", tuple(tuple("a"), null, real(1))],
    ["[1, 'b']", list(1, "b")],
    ["{'a': [1.5]}", dict(["a", list(1.5)])],
    ["{1, 2}", set(1, 2)],
    ["set()", set()],
    ["frozenset({1})", frozenset(1)],
    ["frozenset()", frozenset()],
    ["b'a\\x00\\xff\\n\\'\"'", bytes(97, 0, 255, 10, 39, 34)],
    ['b"it\'s"', bytes(105, 116, 39, 115)],
    ["bytearray(b'x')", { kind: "bytearray", bytes: bytes(120) }],
    ["<class 'torch.nn.Linear'>", global("torch.nn", "Linear")],
    ["<class 'int'>", global("builtins", "int")],
  ])("shows %s", (text, value) => {
    expect(pythonStr(value)).toBe(text);
  });

  it("shows the construction of objects of which only the name is known", () => {
    expect(pythonStr({ kind: "call", via: "REDUCE", callable: global("torch", "device"), args: ["cuda", 0] })).toBe(
      "torch.device('cuda', 0)",
    );
    expect(pythonStr({ kind: "persistent", id: tuple("storage") })).toBe("<persistent ('storage',)>");
  });

  it("ends after a bounded text for graphs that share nodes or contain themselves", () => {
    let value: PickleValue = "leaf";
    for (let depth = 0; depth < 60; depth++) value = tuple(value, value);
    expect(pythonStr(value).length).toBeLessThan(10_100);
    const items: PickleValue[] = [];
    const loop = list();
    items.push(loop);
    if (typeof loop === "object" && loop !== null && "items" in loop) loop.items?.push(loop);
    expect(pythonStr(loop)).toContain("...");
    expect(pythonStr(tuple("x".repeat(1_000_000)))).toHaveLength(10_003);
    expect(pythonStr(1n << 1_000_000n).length).toBeLessThan(10_100);
  });
});

describe("pythonRepr", () => {
  // What repr() of CPython 3.11 gives.
  it.each<[string, string]>([
    ["'a'", "a"],
    ['"it\'s"', "it's"],
    ["'\"it\\'s\"'", '"it\'s"'],
    ["'\\\\ \\n \\r \\t \\x00 \\x7f'", "\\ \n \r \t \0 \x7f"],
    ["'é€😀'", "é€😀"],
    ["'\\xa0\\xad\\u200b\\u2028\\ud800\\ufeff\\U000e0001'", "\xa0\xad\u200b\u2028\ud800\ufeff\u{e0001}"],
  ])("shows %s", (text, value) => {
    expect(pythonRepr(value)).toBe(text);
  });
});

describe("names of Python 2", () => {
  it("are translated as CPython's unpickler does", () => {
    expect(normalizeGlobal("__builtin__", "set")).toEqual({ module: "builtins", name: "set" });
    expect(normalizeGlobal("__builtin__", "long")).toEqual({ module: "builtins", name: "int" });
    expect(normalizeGlobal("__builtin__", "unicode")).toEqual({ module: "builtins", name: "str" });
    expect(normalizeGlobal("__builtin__", "xrange")).toEqual({ module: "builtins", name: "range" });
    expect(normalizeGlobal("copy_reg", "_reconstructor")).toEqual({ module: "copyreg", name: "_reconstructor" });
    expect(normalizeGlobal("exceptions", "ValueError")).toEqual({ module: "builtins", name: "ValueError" });
    expect(normalizeGlobal("long", "long")).toEqual({ module: "long", name: "long" });
  });

  it("are written back in protocol 2", () => {
    for (const [module, name] of [
      ["__builtin__", "set"],
      ["__builtin__", "long"],
      ["copy_reg", "_reconstructor"],
      ["torch._utils", "_rebuild_tensor_v2"],
    ] as const) {
      const now = normalizeGlobal(module, name);
      expect(protocol2Global(now.module, now.name)).toEqual({ module, name });
    }
  });
});
