import { describe, expect, it } from "vitest";
import { ascii, audit, concat, little, PAYLOAD, rulesOf } from "./hostile.js";

/** What joblib writes for an array: its description, a padding, and its bytes, in the middle of the pickle. */
function array(code: string, shape: readonly number[], data: Uint8Array, options: { padding?: number; flags?: number } = {}): Uint8Array {
  const key = (name: string): Uint8Array => concat("X", little(name.length, 4), name);
  const dtype = concat(
    "cnumpy\ndtype\n(",
    key(code),
    "\x89\x88tR(K\x03",
    key("<"),
    `NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK`,
    little(options.flags ?? 0, 1),
    "tb",
  );
  const lengths = concat(...shape.map((length) => concat("M", little(length, 2))));
  const aligned = options.padding === undefined ? "" : concat(key("numpy_array_alignment_bytes"), "K\x10");
  const padding = options.padding === undefined ? "" : concat(little(options.padding, 1), new Uint8Array(options.padding).fill(0xff));
  const state = concat("}(", key("shape"), "(", lengths, "t", key("order"), key("C"), key("dtype"), dtype, aligned, "ub");
  return concat("cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81", state, padding, data);
}
const list = (...items: Uint8Array[]): Uint8Array => concat("\x80\x03](", ...items, "e.");
const call = concat("cposix\nsystem\nX", little(4, 4), "echo\x85R");

describe("arrays that joblib puts into the middle of a pickle", () => {
  it.each<readonly [string, Uint8Array]>([
    ["numbers", array("f8", [2, 3], new Uint8Array(48).fill(0xff))],
    ["numbers behind a padding", array("f4", [3], new Uint8Array(12).fill(0x2e), { padding: 5 })],
    ["texts", array("U2", [2], new Uint8Array(16))],
    ["nothing", array("i8", [0], new Uint8Array(0), { padding: 1 })],
    ["one number without a shape", array("b1", [], new Uint8Array(1))],
  ])("%s are read over, and what follows is audited", async (_, bytes) => {
    expect((await audit(list(bytes, bytes), "m.joblib")).verdict).toBe("clean");
    const result = await audit(list(bytes, call), "m.joblib");
    expect([result.verdict, rulesOf(result)[0]]).toEqual(["dangerous", "dangerous-global"]);
  });

  it("objects are a pickle of their own", async () => {
    const harmless = array("O8", [1], concat("\x80\x05K\x01."), { flags: 63 });
    expect((await audit(list(harmless), "m.joblib")).verdict).toBe("clean");
    const records = array("V8", [1], PAYLOAD, { flags: 27 });
    expect((await audit(list(array("O8", [1], PAYLOAD), harmless), "m.joblib")).verdict).toBe("dangerous");
    expect((await audit(list(records), "m.joblib")).verdict).toBe("dangerous");
  });

  it("numbers that are opcodes to a program which does not know joblib are seen", async () => {
    const hidden = concat(call, "0N.");
    const result = await audit(list(array("u1", [hidden.length], hidden)), "m.pkl");
    expect([result.verdict, result.globals[0]]).toEqual(["dangerous", expect.objectContaining({ module: "posix", name: "system" })]);
  });

  it.each<readonly [string, Uint8Array]>([
    ["more numbers than there are bytes", array("f8", [60_000], ascii("abc"))],
    ["a type of no size", array("x", [1], ascii("\xff\xff"))],
  ])("%s is not clean", async (_, bytes) => {
    expect((await audit(list(bytes), "m.joblib")).verdict).toBe("inconclusive");
  });
});
