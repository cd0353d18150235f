import { describe, expect, it } from "vitest";
import { OPCODES, type OpcodeName, type PickleValue, readPickle } from "../src/index.js";
import { bytes, dict, frozenset, global, list, little, real, set, stream, tuple } from "./stream.js";

const A = global("a", "B");

/** One small stream for every opcode, and what CPython's unpickler makes of it. */
const CASES: Record<OpcodeName, [stream: Uint8Array, value: PickleValue]> = {
  MARK: [stream("(t."), tuple()],
  STOP: [stream("N."), null],
  POP: [stream("K\x01K\x020."), 1],
  POP_MARK: [stream("K\x01(K\x02K\x031."), 1],
  DUP: [stream("K\x012\x86."), tuple(1, 1)],
  FLOAT: [stream("F-1.25e-3\n."), -0.00125],
  INT: [stream("I-1234567\n."), -1234567],
  BININT: [stream("J\xfe\xff\xff\xff."), -2],
  BININT1: [stream("K\xff."), 255],
  LONG: [stream("L-123456789012345678901234567890L\n."), -123456789012345678901234567890n],
  BININT2: [stream("M\x01\x02."), 513],
  NONE: [stream("N."), null],
  PERSID: [stream("Psome id\n."), { kind: "persistent", id: "some id" }],
  BINPERSID: [stream("K\x07\x85Q."), { kind: "persistent", id: tuple(7) }],
  REDUCE: [stream("ca\nB\nK\x01\x85R."), { kind: "call", via: "REDUCE", callable: A, args: [1] }],
  STRING: [stream("S'it\\'s\\x21\\n'\n."), "it's!\n"],
  BINSTRING: [stream("T\x03\x00\x00\x00abc."), "abc"],
  SHORT_BINSTRING: [stream("U\x02\xff\xfe."), bytes(0xff, 0xfe)],
  UNICODE: [stream("V\\u20ac \xe9\\\\\n."), "€ é\\\\"],
  BINUNICODE: [stream("X\x03\x00\x00\x00\xe2\x82\xac."), "€"],
  APPEND: [stream("]K\x01a."), list(1)],
  BUILD: [stream("ca\nB\n)\x81}b."), { kind: "call", via: "NEWOBJ", callable: A, args: [], states: [dict()] }],
  GLOBAL: [stream("ca\nB\n."), A],
  DICT: [stream("(K\x01K\x02K\x03K\x04d."), dict([1, 2], [3, 4])],
  EMPTY_DICT: [stream("}."), dict()],
  APPENDS: [stream("](K\x01K\x02e."), list(1, 2)],
  GET: [stream("K\x05p12\n0g12\n."), 5],
  BINGET: [stream("K\x05q\x0c0h\x0c."), 5],
  INST: [stream("(K\x01K\x02ia\nB\n."), { kind: "call", via: "INST", callable: A, args: [1, 2] }],
  LONG_BINGET: [stream("K\x05r\x0c\x01\x00\x000j\x0c\x01\x00\x00."), 5],
  LIST: [stream("(K\x01K\x02l."), list(1, 2)],
  EMPTY_LIST: [stream("]."), list()],
  OBJ: [stream("(ca\nB\nK\x01o."), { kind: "call", via: "OBJ", callable: A, args: [1] }],
  PUT: [stream("]p0\n0g0\n."), list()],
  BINPUT: [stream("]q\x000h\x00."), list()],
  LONG_BINPUT: [stream("]r\x00\x00\x01\x000j\x00\x00\x01\x00."), list()],
  SETITEM: [stream("}K\x01K\x02s."), dict([1, 2])],
  TUPLE: [stream("(K\x01K\x02K\x03K\x04t."), tuple(1, 2, 3, 4)],
  EMPTY_TUPLE: [stream(")."), tuple()],
  SETITEMS: [stream("}(K\x01K\x02K\x03K\x04u."), dict([1, 2], [3, 4])],
  BINFLOAT: [stream("G\x3f\xf0\x00\x00\x00\x00\x00\x00."), real(1)],
  PROTO: [stream("\x80\x05N."), null],
  NEWOBJ: [stream("ca\nB\nK\x01\x85\x81."), { kind: "call", via: "NEWOBJ", callable: A, args: [1] }],
  EXT1: [stream("\x82\x01."), null],
  EXT2: [stream("\x83\x01\x00."), null],
  EXT4: [stream("\x84\x01\x00\x00\x00."), null],
  TUPLE1: [stream("K\x01\x85."), tuple(1)],
  TUPLE2: [stream("K\x01K\x02\x86."), tuple(1, 2)],
  TUPLE3: [stream("K\x01K\x02K\x03\x87."), tuple(1, 2, 3)],
  NEWTRUE: [stream("\x88."), true],
  NEWFALSE: [stream("\x89."), false],
  LONG1: [stream("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."), -(2n ** 63n)],
  LONG4: [stream("\x8b\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01."), 2n ** 64n],
  BINBYTES: [stream("B\x02\x00\x00\x00ab."), bytes(97, 98)],
  SHORT_BINBYTES: [stream("C\x01a."), bytes(97)],
  SHORT_BINUNICODE: [stream("\x8c\x01a."), "a"],
  BINUNICODE8: [stream("\x8d", little(1, 8), "a."), "a"],
  BINBYTES8: [stream("\x8e", little(1, 8), "a."), bytes(97)],
  EMPTY_SET: [stream("\x8f."), set()],
  ADDITEMS: [stream("\x8f(K\x01K\x02K\x01\x90."), set(1, 2)],
  FROZENSET: [stream("(K\x01K\x02\x91."), frozenset(1, 2)],
  NEWOBJ_EX: [
    stream("ca\nB\nK\x01\x85}\x8c\x01kK\x02s\x92."),
    { kind: "call", via: "NEWOBJ_EX", callable: A, args: [1], kwargs: dict(["k", 2]) },
  ],
  STACK_GLOBAL: [stream("\x8c\x01a\x8c\x01B\x93."), A],
  MEMOIZE: [stream("K\x05\x940h\x00."), 5],
  FRAME: [stream("\x95", little(3, 8), "K\x05."), 5],
  BYTEARRAY8: [stream("\x96", little(2, 8), "ab."), { kind: "bytearray", bytes: bytes(97, 98) }],
  NEXT_BUFFER: [stream("\x97."), { kind: "buffer", index: 0, readonly: false }],
  READONLY_BUFFER: [stream("\x97\x98."), { kind: "buffer", index: 0, readonly: true }],
};

const EXTENSIONS = ["EXT1", "EXT2", "EXT4"];

describe("every opcode", () => {
  it("has a case: there are 68", () => {
    expect(Object.keys(CASES)).toHaveLength(68);
    expect(new Set(Object.values(OPCODES).map(([code]) => code)).size).toBe(68);
  });

  it.each(Object.entries(CASES).filter(([name]) => !EXTENSIONS.includes(name)))(
    "%s gives the value that Python gives",
    (name, [input, value]) => {
      expect(input).toContain(OPCODES[name as OpcodeName][0]); // the keys of a Record of opcode names
      const pickle = readPickle(input);
      expect(pickle.value).toEqual(value);
      expect(pickle.end).toBe(input.length);
    },
  );

  it.each(EXTENSIONS)("%s is refused: its meaning is in the writer's registry", (name) => {
    expect(() => readPickle(CASES[name as OpcodeName][0])).toThrow(expect.objectContaining({ code: "PICKLE_UNSUPPORTED" })); // as above
  });

  it("that does not exist is an error that names its byte and offset", () => {
    const codes = new Set<number>(Object.values(OPCODES).map(([code]) => code));
    for (let code = 0; code < 256; code++) {
      if (codes.has(code)) continue;
      expect(() => readPickle(bytes(0x4e, code, 0x2e))).toThrow(
        expect.objectContaining({ code: "PICKLE_CORRUPT", details: expect.objectContaining({ offset: 1 }) }),
      );
    }
  });
});

describe("the text opcodes of protocol 0", () => {
  it.each<[string, PickleValue]>([
    ["I01\n.", true],
    ["I00\n.", false],
    ["I0\n.", 0],
    ["I99999999999999999999\n.", 99999999999999999999n],
    ["L7L\n.", 7],
    ["L7\n.", 7],
    ["Fnan\n.", Number.NaN],
    ["Finf\n.", Number.POSITIVE_INFINITY],
    ["F-inf\n.", Number.NEGATIVE_INFINITY],
    ["F1\n.", real(1)],
    ["F-0.0\n.", real(-0)],
    ["F1e+300\n.", real(1e300)],
    ['S"\\\\ \\a\\b\\f\\n\\r\\t\\v \\0 \\101 \\x7E \\q"\n.', "\\ \x07\b\f\n\r\t\v \0 A ~ \\q"],
    ["S'\\xff'\n.", bytes(0xff)],
    ["S''\n.", ""],
    ["V\\ud83d\\ude00 \\U0001f600 \\n\n.", "😀 😀 \\n"],
    ["V\n.", ""],
  ])("%j reads as Python reads it", (text, value) => {
    expect(readPickle(stream(text)).value).toEqual(value);
  });

  it.each([
    "I\n.",
    "I1x\n.",
    "I0x10\n.",
    "I 1\n.",
    "I1.0\n.",
    "LL\n.",
    "L1LL\n.",
    "F\n.",
    "F1e\n.",
    "F0x1p3\n.",
    "F1_0\n.",
    "Sabc\n.",
    "S'abc\n.",
    "S'\n.",
    "S'abc\"\n.",
    "S'\\x4'\n.",
    "V\\u12\n.",
    "V\\uzzzz\n.",
    "V\\U00110000\n.",
    "Np-1\n.",
    "Npx\n.",
    "Ng\n.",
    "c\xff\nB\n.",
    "P\xff\n.",
  ])("%j is malformed", (text) => {
    expect(() => readPickle(stream(text))).toThrow(expect.objectContaining({ code: "PICKLE_CORRUPT" }));
  });

  it.each(["I1", "ca", "ca\nB", "Pid", "V", "S'a'", "F1.0", "Np0"])("%j ends in the middle of its line", (text) => {
    expect(() => readPickle(stream(text))).toThrow(expect.objectContaining({ code: "PICKLE_TRUNCATED" }));
  });
});

describe("strings", () => {
  it("may hold lone surrogates, as Python writes them with surrogatepass", () => {
    expect(readPickle(stream("X\x05\x00\x00\x00a\xed\xa0\x80b.")).value).toBe("a\ud800b");
    expect(readPickle(stream("\x8c\x03\xed\xb0\x80.")).value).toBe("\udc00");
  });

  it("keep a byte order mark", () => {
    expect(readPickle(stream("\x8c\x03\xef\xbb\xbf.")).value).toBe("\ufeff");
  });

  it.each(["\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xed\xa0", "a\xff"])(
    "%j is not UTF-8",
    (text) => {
      const utf8 = stream(text);
      expect(() => readPickle(stream("X", little(utf8.length, 4), utf8, "."))).toThrow(expect.objectContaining({ code: "PICKLE_CORRUPT" }));
    },
  );

  it("of all lengths and alphabets come back", () => {
    const encoder = new TextEncoder();
    for (let length = 0; length < 200; length++) {
      for (const letter of ["a", "é", "€", "😀"]) {
        const text = `${"x".repeat(length)}${letter}`;
        const utf8 = encoder.encode(text);
        expect(readPickle(stream("X", little(utf8.length, 4), utf8, ".")).value).toBe(text);
      }
    }
  });
});
