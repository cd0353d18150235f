import { CheckpointLoadError } from "@ckptkit/core";
import { damage } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { readPickle } from "../src/index.js";
import { PYTHON_PICKLES } from "./python-pickles.js";
import { fromBase64, little, stream } from "./stream.js";

const CODES = ["PICKLE_CORRUPT", "PICKLE_TRUNCATED", "PICKLE_UNSUPPORTED", "LIMIT_EXCEEDED"];
const pickles = Object.entries(PYTHON_PICKLES).flatMap(([name, texts]) =>
  texts.map((text, protocol) => ({ name: `${name}, protocol ${protocol}`, bytes: fromBase64(text) })),
);

/** Reads, and gives the code of the error or undefined. Anything but a coded error fails the test. */
function codeOf(bytes: Uint8Array, what: string): string | undefined {
  try {
    const pickle = readPickle(bytes);
    expect(pickle.end).toBeLessThanOrEqual(bytes.length);
    expect(pickle.opcodes).toBeLessThanOrEqual(bytes.length);
    return undefined;
  } catch (error) {
    expect(error, what).toBeInstanceOf(CheckpointLoadError);
    if (!(error instanceof CheckpointLoadError)) throw error;
    expect(CODES, what).toContain(error.code);
    expect(error.details, what).toMatchObject({ offset: expect.any(Number), opcode: expect.any(String), globals: expect.any(Array) });
    return error.code;
  }
}

describe("damaged pickles", () => {
  it("that are cut off at any byte are truncated, and never give a value", () => {
    for (const { name, bytes } of pickles) {
      for (let end = 0; end < bytes.length; end++) expect(codeOf(bytes.subarray(0, end), `${name} up to ${end}`)).toBe("PICKLE_TRUNCATED");
    }
  });

  it("give a value or a coded error, whatever happened to them", () => {
    for (const { name, bytes } of pickles) {
      for (let seed = 0; seed < 150; seed++) {
        const damaged = damage(bytes, seed);
        codeOf(damaged.bytes, `${name}, ${damaged.description}`);
      }
    }
  });

  it("give a value or a coded error, whichever single byte is set to whichever opcode", () => {
    const original = fromBase64(PYTHON_PICKLES.objects[4]);
    for (let at = 0; at < original.length; at++) {
      for (const value of [0x28, 0x2e, 0x30, 0x52, 0x62, 0x68, 0x71, 0x74, 0x75, 0x81, 0x8b, 0x8d, 0x93, 0x95, 0xff]) {
        const bytes = original.slice();
        bytes[at] = value;
        codeOf(bytes, `byte ${at} set to ${value}`);
      }
    }
  });
});

describe("limits", () => {
  const limited = (limit: string) =>
    expect.objectContaining({ code: "LIMIT_EXCEEDED", details: expect.objectContaining({ limit, globals: expect.any(Array) }) });

  it.each(["T", "X", "B", "\x8b", "\x8d", "\x8e", "\x96"])("%j allocates nothing for a length that the stream does not have", (opcode) => {
    for (const size of [4, 8]) {
      const length = new Uint8Array(size).fill(0xff);
      length[3] = 0x7f;
      length[size - 1] = 0x7f;
      expect(() => readPickle(stream(opcode, length, "abc."))).toThrow(expect.objectContaining({ code: "PICKLE_TRUNCATED" }));
    }
  });

  it("refuse a negative length, as Python does", () => {
    expect(() => readPickle(stream("\x8b\xff\xff\xff\xff."))).toThrow(expect.objectContaining({ code: "PICKLE_CORRUPT" }));
  });

  it("bound bytes, opcodes, nodes, strings and integers", () => {
    expect(() => readPickle(stream("NNNN."), { limits: { pickleBytes: 3 } })).toThrow(limited("pickleBytes"));
    expect(() => readPickle(stream("NNNN."), { limits: { pickleOpcodes: 3 } })).toThrow(limited("pickleOpcodes"));
    expect(() => readPickle(stream("]]]]."), { limits: { pickleNodes: 3 } })).toThrow(limited("pickleNodes"));
    expect(() => readPickle(stream("\x8c\x05hello."), { limits: { pickleStringBytes: 4 } })).toThrow(limited("pickleStringBytes"));
    expect(() => readPickle(stream("Vhello\n."), { limits: { pickleStringBytes: 4 } })).toThrow(limited("pickleStringBytes"));
    expect(() => readPickle(stream("\x8a\x05hello."), { limits: { pickleIntegerBytes: 4 } })).toThrow(limited("pickleIntegerBytes"));
    expect(() => readPickle(stream(`I${"9".repeat(5000)}\n.`))).toThrow(limited("pickleIntegerDigits"));
    expect(readPickle(stream(`L-${"9".repeat(4300)}L\n.`)).value).toBe(-(10n ** 4300n) + 1n);
  });

  it("bound one pickle among others by its own size", () => {
    const two = stream("NN000000.NN0.");
    expect(() => readPickle(two, { limits: { pickleBytes: 5 } })).toThrow();
    expect(readPickle(two, { start: 9, limits: { pickleBytes: 4 } }).value).toBeNull();
  });

  it("read a long integer in a time that is proportional to it", () => {
    const size = 131_072;
    const digits = new Uint8Array(size).fill(0xff);
    digits[size - 1] = 0x7f;
    expect(readPickle(stream("\x8b", little(size, 4), digits, ".")).value).toBe((1n << BigInt(8 * size - 1)) - 1n);
  });
});

describe("streams that are made to explode", () => {
  it("nest without end in bounded memory", () => {
    const pickle = readPickle(stream("N", "\x85".repeat(300_000), "."));
    expect(pickle.value).toMatchObject({ kind: "tuple" });
    expect(readPickle(stream("(".repeat(300_000), "t".repeat(300_000), ".")).value).toMatchObject({ kind: "tuple" });
  });

  it("double a tuple sixty times, and use it as a key", () => {
    const doubled = `N\x85${"2\x86".repeat(60)}q\x00`;
    const keys = Array.from({ length: 2000 }, () => "h\x00N").join("");
    expect(readPickle(stream("}(", doubled, "N", keys, "u.")).value).toMatchObject({
      kind: "dict",
      keysAndValues: [{ kind: "tuple" }, null],
    });
  });

  it("use one long string in many tuples, all of them keys", () => {
    const long = "x".repeat(500_000);
    const keys = Array.from({ length: 50_000 }, (_, index) => `h\x00M${String.fromCharCode(index % 256, Math.floor(index / 256))}\x86N`);
    const { value } = readPickle(stream("X", little(long.length, 4), long, "q\x000}(", keys.join(""), "u."));
    expect(value).toMatchObject({ kind: "dict" });
  });

  it("give one long list to thousands of sets, or one long text to thousands of bytes", () => {
    const sets = stream("](", "N".repeat(100_000), "eq\x000(", "c__builtin__\nset\nh\x00\x85R".repeat(5000), "t.");
    expect(readPickle(sets).calls.length).toBeGreaterThan(4900);
    const text = "x".repeat(100_000);
    const copies = "c_codecs\nencode\nh\x00\x8c\x06latin1\x86R".repeat(5000);
    expect(readPickle(stream("X", little(text.length, 4), text, "q\x000(", copies, "t.")).calls.length).toBeGreaterThan(4900);
  });

  it("make a finding a million times", () => {
    const { findings } = readPickle(stream("Nq\x00", "0\x88q\x000\x89q\x00".repeat(100_000), "."));
    expect(findings.length).toBeLessThan(20);
    expect(findings.at(-1)?.message).toContain("more findings");
  });
});
