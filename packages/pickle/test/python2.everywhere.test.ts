import { describe, expect, it } from "vitest";
import { readPickle } from "../src/index.js";
import { bytes, dict, global, list, stream } from "./stream.js";

describe("pickles of Python 2", () => {
  it("of protocol 2 have byte strings as keys, and cPickle's memo starts at 1", () => {
    const { value, findings } = readPickle(stream("\x80\x02}q\x01(U\x05epochq\x02K\x03U\x03rawq\x03U\x02\x89PU\x02u8q\x04U\x02\xc3\xa9u."));
    expect(value).toEqual(dict(["epoch", 3], ["raw", bytes(0x89, 0x50)], ["u8", "é"]));
    expect(findings).toEqual([]);
  });

  it("of protocol 0 are lines of text", () => {
    const text = "(dp0\nS'weights'\np1\n(lp2\nF0.5\naL12L\naI01\nasVk\\u00e9y\np3\ng2\ns.";
    const weights = list(0.5, 12, true);
    expect(readPickle(stream(text)).value).toEqual(dict(["weights", weights], ["kéy", weights]));
  });

  it("make instances of old and new classes", () => {
    const old = readPickle(stream("(iargparse\nNamespace\np0\n(dp1\nS'lr'\np2\nF0.1\nsb."));
    expect(old.value).toEqual({
      kind: "call",
      via: "INST",
      callable: global("argparse", "Namespace"),
      args: [],
      states: [dict(["lr", 0.1])],
    });
    const newer = readPickle(stream("ccopy_reg\n_reconstructor\np0\n(cm\nModel\np1\nc__builtin__\nobject\np2\nNtp3\nRp4\n."));
    expect(newer.value).toEqual({
      kind: "call",
      via: "REDUCE",
      callable: global("copyreg", "_reconstructor"),
      args: [global("m", "Model"), global("builtins", "object"), null],
    });
    expect(newer.globals.map((use) => use.module)).toEqual(["copy_reg", "m", "__builtin__"]);
  });

  it("keep their names from protocol 3 on, where Python does not translate them either", () => {
    expect(readPickle(stream("\x80\x02c__builtin__\nlong\n.")).value).toEqual(global("builtins", "int"));
    expect(readPickle(stream("\x80\x03c__builtin__\nlong\n.")).value).toEqual(global("__builtin__", "long"));
  });

  it("give sets, bytes and bytearrays as calls of built-ins, shown as what they are", () => {
    expect(readPickle(stream("c__builtin__\nset\n((lK\x01aK\x02aK\x01atR.")).value).toEqual({ kind: "set", items: [1, 2] });
    expect(readPickle(stream("c__builtin__\nbytearray\n(V\xe9a\nS'latin-1'\ntR.")).value).toEqual({
      kind: "bytearray",
      bytes: bytes(0xe9, 0x61),
    });
    expect(readPickle(stream("c_codecs\nencode\n(V\\u20ac\nVlatin1\ntR.")).value).toMatchObject({ kind: "call", args: ["€", "latin1"] });
    expect(readPickle(stream("c_codecs\nencode\n(Va\nVrot13\ntR.")).value).toMatchObject({ kind: "call", args: ["a", "rot13"] });
  });
});
