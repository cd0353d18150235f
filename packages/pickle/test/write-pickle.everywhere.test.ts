import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isPickleNode,
  type PickleCall,
  type PickleList,
  type PickleTuple,
  type PickleValue,
  readPickle,
  writePickle,
} from "../src/index.js";
import { PYTHON_PICKLES } from "./python-pickles.js";
import { bytes, dict, fromBase64, frozenset, global, list, real, set, stream, tuple } from "./stream.js";

const again = (value: PickleValue): PickleValue => readPickle(writePickle(value)).value;
const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" });

/** Values of every kind that a pickle of protocol 2 has, nested. Keys of dicts and items of sets differ. */
const { value: anyValue } = fc.letrec<{ value: PickleValue; key: PickleValue }>((tie) => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  );
  const scalar: fc.Arbitrary<PickleValue> = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.integer({ min: -300, max: 70_000 }),
    fc.bigInt({ min: -(1n << 3000n), max: 1n << 3000n }).map((value) => (BigInt.asIntN(53, value) === value ? Number(value) : value)),
    fc.double().map((value) => (Number.isInteger(value) ? real(value) : value)),
    text,
    fc.uint8Array(),
  );
  const name = fc.stringMatching(/^[a-z_]{1,8}$/);
  const named = fc.tuple(name, name).map(([module, member]) => global(`m.${module}`, member));
  const many = fc.array(tie("value"), { maxLength: 5 });
  const keys = fc.uniqueArray(tie("key"), { maxLength: 12, selector: (key) => JSON.stringify(key) });
  const entries = fc.uniqueArray(fc.tuple(tie("key"), tie("value")), { maxLength: 12, selector: ([key]) => JSON.stringify(key) });
  const filled = {
    items: fc.option(fc.array(tie("value"), { minLength: 1, maxLength: 3 }), { nil: undefined }),
    keysAndValues: fc.option(
      entries.filter((all) => all.length > 0).map((all) => all.flat()),
      { nil: undefined },
    ),
    states: fc.option(fc.array(tie("value"), { minLength: 1, maxLength: 2 }), { nil: undefined }),
  };
  const call = fc
    .record({ callable: named, args: many, via: fc.constantFrom("REDUCE" as const, "NEWOBJ" as const, "OBJ" as const), ...filled })
    .map((fields): PickleCall => ({ kind: "call", ...fields }));
  const withKeywords = fc
    .record({ callable: named, args: many, kwargs: entries.map((all) => dict(...all)), ...filled })
    .map((fields): PickleCall => ({ kind: "call", via: "NEWOBJ_EX", ...fields }));
  return {
    key: fc.oneof(
      fc.string(),
      fc.integer(),
      fc.array(fc.string(), { maxLength: 3 }).map((items) => tuple(...items.map((item) => `${item}!`))),
    ),
    value: fc.oneof(
      { maxDepth: 4 },
      scalar,
      many.map((items) => list(...items)),
      many.map((items) => tuple(...items)),
      entries.map((all) => dict(...all)),
      keys.filter((all) => all.every((key) => typeof key !== "object")).map((items) => set(...items)),
      keys.filter((all) => all.every((key) => typeof key !== "object")).map((items) => frozenset(...items)),
      fc.uint8Array().map((content): PickleValue => ({ kind: "bytearray", bytes: content })),
      tie("value").map((id): PickleValue => ({ kind: "persistent", id })),
      named,
      call,
      withKeywords,
    ),
  };
});

describe("writePickle", () => {
  it("writes what CPython writes", () => {
    // pickle.dumps(..., protocol=2) of CPython 3.11
    expect(writePickle(dict(["epoch", 3]))).toEqual(stream("\x80\x02}q\x00X\x05\x00\x00\x00epochq\x01K\x03s."));
    expect(writePickle(list(1, 300, -1, real(1), true))).toEqual(
      stream("\x80\x02]q\x00(K\x01M,\x01J\xff\xff\xff\xffG?\xf0\x00\x00\x00\x00\x00\x00\x88e."),
    );
    expect(writePickle(2n ** 63n)).toEqual(stream("\x80\x02\x8a\t\x00\x00\x00\x00\x00\x00\x00\x80\x00."));
    expect(writePickle(-(2n ** 63n))).toEqual(stream("\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."));
    expect(writePickle({ kind: "call", via: "REDUCE", callable: global("collections", "OrderedDict"), args: [] })).toEqual(
      stream("\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01."),
    );
  });

  it("gives byte for byte what CPython gave, for values read from it", () => {
    for (const [name, texts] of Object.entries(PYTHON_PICKLES)) {
      if (name === "strings") continue; // CPython writes b"" as bytes(), which torch's restricted loader refuses
      expect(writePickle(readPickle(fromBase64(texts[2])).value), name).toEqual(fromBase64(texts[2]));
    }
    const { value } = readPickle(fromBase64(PYTHON_PICKLES.strings[5]));
    expect(again(value)).toEqual(value);
  });

  it("gives back every value when it is read again", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const pickle = readPickle(writePickle(value));
        expect(pickle.value).toEqual(value);
        expect(pickle.protocol).toBe(2);
        expect(pickle.findings).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it("gives back integers of every size at the borders of their forms", () => {
    const borders = [0, 1, 7, 8, 15, 16, 31, 32, 47, 48, 52, 53, 63, 64, 127, 128, 2031, 2032, 2039, 2040, 2041, 100_000];
    for (const bits of borders) {
      for (const near of [-1n, 0n, 1n]) {
        for (const sign of [1n, -1n]) {
          const exact = sign * (1n << BigInt(bits)) + near;
          const small = exact >= Number.MIN_SAFE_INTEGER && exact <= Number.MAX_SAFE_INTEGER;
          expect(again(exact)).toBe(small ? Number(exact) : exact);
        }
      }
    }
  });

  it("keeps real numbers and integers apart, and NaN, infinities and -0", () => {
    expect(again(list(1, real(1), real(-0), Number.NaN, Number.POSITIVE_INFINITY, -0.5))).toEqual(
      list(1, real(1), real(-0), Number.NaN, Number.POSITIVE_INFINITY, -0.5),
    );
  });

  it("writes a shared node once", () => {
    const shared = list("x");
    const value = again(tuple(shared, dict(["k", shared]), shared));
    if (!isPickleNode(value) || value.kind !== "tuple") throw new Error("not a tuple");
    const [first, middle, last] = value.items;
    expect(last).toBe(first);
    expect(isPickleNode(middle) && middle.kind === "dict" && middle.keysAndValues[1]).toBe(first);
  });

  it("keeps cycles through lists, dicts, tuples, calls and persistent ids", () => {
    const inner: PickleList = { kind: "list", items: [] };
    const outer: PickleTuple = { kind: "tuple", items: [inner, 1] };
    const object: PickleCall = { kind: "call", via: "NEWOBJ", callable: global("a", "B"), args: [], states: [dict(["self", outer])] };
    inner.items.push(outer, inner, object, { kind: "persistent", id: tuple(inner) }, { kind: "set", items: [object] });
    if (object.states) object.states.push(list(object));
    const value = again(outer);
    expect(value).toEqual(outer);
    if (!isPickleNode(value) || value.kind !== "tuple") throw new Error("not a tuple");
    const [read] = value.items;
    if (!isPickleNode(read) || read.kind !== "list") throw new Error("not a list");
    expect(read.items[0]).toBe(value);
    expect(read.items[1]).toBe(read);
  });

  it("keeps a set that is reached again through one of its items", () => {
    const object: PickleCall = { kind: "call", via: "NEWOBJ", callable: global("a", "B"), args: [], states: [] };
    const items = set(object);
    object.states?.push(dict(["owner", items]));
    expect(again(items)).toEqual(items);
  });

  it("nests to any depth", () => {
    let value: PickleValue = null;
    for (let depth = 0; depth < 50_000; depth++) value = depth % 2 ? list(value) : tuple(value);
    let read = again(value);
    let depth = 0;
    for (; isPickleNode(read) && (read.kind === "list" || read.kind === "tuple"); depth++) read = read.items[0] ?? null;
    expect(depth).toBe(50_000);
  });

  it("writes long lists and dicts in batches", () => {
    const items = Array.from({ length: 2001 }, (_, index) => index);
    expect(again(list(...items))).toEqual(list(...items));
    const large = dict(...items.map((index): [PickleValue, PickleValue] => [`key ${index}`, index]));
    expect(again(large)).toEqual(large);
  });

  it("keeps what a stream of a later protocol says", () => {
    const newer = stream("\x80\x05\x8c\x01a\x8c\x01B\x93K\x01\x85}\x8c\x01kC\x02\xff\x00s\x92.");
    const { value } = readPickle(newer);
    expect(again(value)).toEqual(value);
  });

  it("keeps arguments that are no literal tuple", () => {
    const { value } = readPickle(stream("\x80\x02ca\nb\nca\nc\n)RR."));
    expect(again(value)).toEqual(value);
  });

  it("refuses what protocol 2 cannot say", () => {
    const itself: PickleTuple = { kind: "tuple", items: [] };
    itself.items.push(itself);
    const maker: PickleCall = { kind: "call", via: "REDUCE", callable: global("a", "b"), args: [] };
    maker.args.push(tuple(maker));
    const cases: PickleValue[] = [
      itself,
      maker,
      { kind: "buffer", index: 0, readonly: false },
      { ...global("a", "b"), states: [dict()] },
      global("a\nb", "c"),
      { kind: "call", via: "REDUCE", callable: global("a", "b"), args: [], setItems: [1] },
      1e300,
    ];
    for (const value of cases) expect(() => writePickle(value)).toThrow(refused);
  });

  it("refuses a tuple that contains itself in very many ways, instead of growing without end", () => {
    const many: PickleTuple = { kind: "tuple", items: [] };
    for (let index = 0; index < 5000; index++) many.items.push({ kind: "list", items: [many] });
    expect(() => writePickle(many)).toThrow(refused);
  });

  it("writes bytes of all values", () => {
    const all = bytes(...Array.from({ length: 256 }, (_, byte) => byte));
    expect(again(all)).toEqual(all);
  });
});
