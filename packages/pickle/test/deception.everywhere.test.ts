import { describe, expect, it } from "vitest";
import { dottedName, type Pickle, readPickle } from "../src/index.js";
import { dict, list, little, stream, tuple } from "./stream.js";

/** What scanners of pickles were fooled with. The names are inert: nothing of this kind exists. */
const names = (pickle: Pickle): (string | undefined)[] => pickle.globals.map((use) => `${use.module}.${use.name}`);
const rules = (pickle: Pickle): string[] => pickle.findings.map((finding) => finding.rule);
const refused = (code: string) => expect.objectContaining({ code });

describe("names are seen whichever way they come about", () => {
  it.each<[string, Uint8Array]>([
    ["GLOBAL", stream("cinert\nrun\n.")],
    ["INST", stream("(iinert\nrun\n.")],
    ["STACK_GLOBAL", stream("\x8c\x05inert\x8c\x03run\x93.")],
    ["STACK_GLOBAL fed by BINUNICODE", stream("X\x05\x00\x00\x00inertX\x03\x00\x00\x00run\x93.")],
    ["STACK_GLOBAL fed by BINUNICODE8", stream("\x8d", little(5, 8), "inert\x8d", little(3, 8), "run\x93.")],
    ["STACK_GLOBAL fed by UNICODE with escapes", stream("V\\u0069nert\nVr\\u0075n\n\x93.")],
    ["STACK_GLOBAL fed by STRING with escapes", stream("S'\\x69nert'\nS'r\\165n'\n\x93.")],
    ["STACK_GLOBAL fed by SHORT_BINSTRING", stream("U\x05inertU\x03run\x93.")],
    ["STACK_GLOBAL fed by BINSTRING", stream("T\x05\x00\x00\x00inertT\x03\x00\x00\x00run\x93.")],
    ["the memo, after other strings were memoised", stream("\x8c\x05inert\x94\x8c\x05harml\x94\x8c\x03run\x94000h\x00h\x02\x93.")],
    ["a memo slot that was overwritten", stream("\x8c\x05plainq\x000\x8c\x05inertq\x000h\x00\x8c\x03run\x93.")],
    ["DUP and POP", stream("\x8c\x05inert\x8c\x03run20\x93.")],
    ["MARK and POP_MARK", stream("\x8c\x05inert(N1\x8c\x03run\x93.")],
  ])("%s", (_how, input) => {
    expect(names(readPickle(input))).toEqual(["inert.run"]);
  });

  it("also when the object is thrown away again", () => {
    const pickle = readPickle(stream("(cinert\nrun\nV1\no0N."));
    expect(pickle.value).toBeNull();
    expect(names(pickle)).toEqual(["inert.run"]);
    expect(pickle.calls).toEqual([expect.objectContaining({ via: "OBJ", args: ["1"] })]);
  });

  it("also when they are left below the result", () => {
    const pickle = readPickle(stream("cinert\nrun\n(K\x01."));
    expect(pickle.value).toBe(1);
    expect(names(pickle)).toEqual(["inert.run"]);
    expect(rules(pickle)).toEqual(["pickle-stack-leftover"]);
  });

  it("with the offset and opcode of each use", () => {
    expect(readPickle(stream("N0ca\nb\n0(ic\nd\n.")).globals).toEqual([
      { module: "a", name: "b", offset: 2, opcode: "GLOBAL" },
      { module: "c", name: "d", offset: 9, opcode: "INST" },
    ]);
  });

  it("with dots, as one name", () => {
    const pickle = readPickle(stream("\x80\x04\x8c\x05inert\x8c\x07sub.run\x93."));
    expect(pickle.globals[0]).toMatchObject({ module: "inert", name: "sub.run" });
    expect(dottedName(pickle.value)).toBe("inert.sub.run");
  });

  it.each([stream("K\x01\x8c\x01b\x93."), stream("\x8c\x01aC\x01b\x93."), stream("ca\nb\n)R\x8c\x01b\x93.")])(
    "and a name that is no string, or would have to be computed, is an error",
    (input) => {
      expect(() => readPickle(input)).toThrow(refused("PICKLE_CORRUPT"));
    },
  );
});

describe("a payload in front of damage", () => {
  it.each<[string, Uint8Array, string]>([
    ["an unknown opcode", stream("cinert\nrun\n)R\xff"), "PICKLE_CORRUPT"],
    ["the end of the file", stream("cinert\nrun\n)R"), "PICKLE_TRUNCATED"],
    ["an extension code", stream("cinert\nrun\n)R\x82\x01."), "PICKLE_UNSUPPORTED"],
    ["an empty memo slot", stream("cinert\nrun\n)Rh\x07."), "PICKLE_CORRUPT"],
  ])("is named in the error when %s follows", (_what, input, code) => {
    expect(() => readPickle(input)).toThrow(
      expect.objectContaining({ code, details: expect.objectContaining({ globals: ["inert.run"], offset: expect.any(Number) }) }),
    );
  });

  it("is named among many others, each once", () => {
    const harmless = Array.from({ length: 5000 }, (_, index) => `cm\nn${index % 100}\n0`).join("");
    try {
      readPickle(stream(harmless, "cinert\nrun\n\xff"));
      expect.unreachable();
    } catch (error) {
      const { globals, globalsNotListed } = (error as { details: Record<string, unknown> }).details; // what readPickle throws
      expect(globals).toHaveLength(101);
      expect(globals).toContain("inert.run");
      expect(globalsNotListed).toBe(0);
    }
  });
});

describe("objects that are changed in ways in which no pickler changes them", () => {
  it("are reported when BUILD goes to a global", () => {
    const pickle = readPickle(stream("cinert\nmodule\n}b."));
    expect(pickle.findings).toEqual([expect.objectContaining({ rule: "pickle-build-global", severity: "error" })]);
    expect(pickle.value).toMatchObject({ kind: "global", states: [dict()] });
  });

  it.each([stream("K\x01}b."), stream("Va\n}b."), stream("]}b."), stream(")}b.")])(
    "are reported when BUILD goes to a plain value",
    (input) => {
      expect(rules(readPickle(input))).toEqual(["pickle-build"]);
    },
  );

  it("are reported when items go into a global", () => {
    expect(rules(readPickle(stream("cinert\nlist\nK\x01a.")))).toEqual(["pickle-global-changed"]);
    expect(rules(readPickle(stream("cinert\ndict\nK\x01K\x02s.")))).toEqual(["pickle-global-changed"]);
  });

  it.each([
    stream("}K\x01a."),
    stream("]K\x01K\x02s."),
    stream("](K\x01\x90."),
    stream("NK\x01a."),
    stream(")(K\x01e."),
    stream("\x8f(K\x01K\x02u."),
  ])("are errors where Python fails, too", (input) => {
    expect(() => readPickle(input)).toThrow(refused("PICKLE_CORRUPT"));
  });

  it("keep arguments that only running the pickle would tell", () => {
    const pickle = readPickle(stream("cinert\nrun\nca\nb\n)RR."));
    expect(rules(pickle)).toEqual(["pickle-opaque-arguments"]);
    expect(pickle.value).toMatchObject({ kind: "call", args: [], star: { kind: "call" } });
  });
});

describe("protocol and frames", () => {
  it("that contradict the stream are reported", () => {
    expect(rules(readPickle(stream("N0\x80\x02N.")))).toEqual(["pickle-protocol"]);
    expect(rules(readPickle(stream("\x80\x02\x80\x02N.")))).toEqual(["pickle-protocol"]);
    expect(rules(readPickle(stream("\x88.")))).toEqual(["pickle-protocol"]);
    expect(rules(readPickle(stream("\x80\x02\x8c\x01a.")))).toEqual(["pickle-protocol"]);
    expect(rules(readPickle(stream("\x80\x02\x88.")))).toEqual([]);
    expect(rules(readPickle(stream("N.")))).toEqual([]);
  });

  it("beyond 5 are refused", () => {
    expect(() => readPickle(stream("\x80\x06N."))).toThrow(refused("PICKLE_UNSUPPORTED"));
    expect(() => readPickle(stream("\x80\xffN."))).toThrow(refused("PICKLE_UNSUPPORTED"));
  });

  const frame = (length: number, rest: string): Pickle => readPickle(stream("\x80\x04\x95", little(length, 8), rest));

  it("that are true are no finding", () => {
    expect(rules(frame(3, "K\x05."))).toEqual([]);
    expect(rules(readPickle(stream("\x80\x04\x95", little(2, 8), "K\x05\x95", little(3, 8), "0N.")))).toEqual([]);
  });

  it.each([
    ["is longer than the stream", 4, "K\x05.."],
    ["is longer than the file", 2 ** 40, "K\x05."],
    ["is longer than any file", 2 ** 63, "K\x05."],
    ["ends inside of an opcode", 1, "K\x05."],
  ])("that lie are reported: a frame that %s", (_what, length, rest) => {
    const pickle = frame(length, rest);
    expect(pickle.value).toBe(5);
    expect(rules(pickle)).toEqual(["pickle-frame"]);
  });

  it("that begin inside of a frame are reported", () => {
    expect(rules(readPickle(stream("\x80\x04\x95", little(12, 8), "\x95", little(3, 8), "K\x05.")))).toEqual(["pickle-frame"]);
  });
});

describe("the stack and the memo", () => {
  it.each([
    ".",
    "0.",
    "2.",
    "K\x01\x86.",
    "K\x01\x87.",
    "\x85.",
    "(1.",
    "t.",
    "l.",
    "d.",
    "u.",
    "e.",
    "1.",
    "o.",
    "(o.",
    "R.",
    "NR.",
    "b.",
    "Nb.",
    "a.",
    "]a.",
    "s.",
    "}Ns.",
    "Q.",
    "q\x00.",
    "\x94.",
    "\x93.",
  ])("%j takes what is not there", (text) => {
    expect(() => readPickle(stream(text))).toThrow(refused("PICKLE_CORRUPT"));
  });

  it("take a MARK away when POP meets one, as CPython does", () => {
    expect(readPickle(stream("N(0.")).value).toBeNull();
  });

  it.each(["N(.", "N(2.", "N(\x85.", "](a.", "NN(\x86.", "}N(Ns."])("%j would reach below a MARK", (text) => {
    expect(() => readPickle(stream(text))).toThrow(refused("PICKLE_CORRUPT"));
  });

  it("refuse an odd number of keys and values", () => {
    expect(() => readPickle(stream("}(Nu."))).toThrow(refused("PICKLE_CORRUPT"));
    expect(() => readPickle(stream("(Nd."))).toThrow(refused("PICKLE_CORRUPT"));
  });

  it("report a slot that is given another value", () => {
    expect(rules(readPickle(stream("K\x01q\x00K\x02q\x00.")))).toContain("pickle-memo-overwrite");
    expect(rules(readPickle(stream("]q\x00q\x00.")))).toEqual([]);
  });

  it("take no memory for slots that are far away", () => {
    const far = ["\xff\xff\xff\xff", "\x00\x00\x00\x80", "\x20\x00\x00\x00"].map((slot) => `K\x07r${slot}0j${slot}`);
    expect(readPickle(stream("(", ...far, "t.")).value).toEqual(tuple(7, 7, 7));
  });

  it("count the slots in use for MEMOIZE, whatever their numbers", () => {
    expect(readPickle(stream("Nq\x09\x88\x94\x89\x94000h\x01.")).value).toBe(true);
  });
});

describe("several pickles in one file", () => {
  it("are read one after another", () => {
    const input = stream("\x80\x02K\x01.\x80\x02]q\x00.N.junk");
    const first = readPickle(input);
    const second = readPickle(input, { start: first.end });
    const third = readPickle(input, { start: second.end });
    expect([first, second, third].map(({ value, start, end }) => [value, start, end])).toEqual([
      [1, 0, 5],
      [list(), 5, 11],
      [null, 11, 13],
    ]);
    expect(second.findings).toEqual([]);
  });

  it("start within the bytes, or it is a mistake of the caller", () => {
    for (const start of [-1, 1.5, 4, Number.NaN]) expect(() => readPickle(stream("NN."), { start })).toThrow(refused("INVALID_ARGUMENT"));
    expect(() => readPickle(stream("N."), { start: 2 })).toThrow(refused("PICKLE_TRUNCATED"));
  });
});
