import { describe, expect, it } from "vitest";
import { entriesOf, isPickleNode, type PickleEntry, type PickleValue, readPickle } from "../src/index.js";
import { bytes, frozenset, global, list, real, stream, tuple } from "./stream.js";

/** Keys as opcodes, and which of them Python holds for equal. */
const KEYS: [opcodes: string, value: PickleValue][] = [
  ["K\x01", 1],
  ["\x88", true],
  ["G\x3f\xf0\x00\x00\x00\x00\x00\x00", real(1)],
  ["\x8a\x01\x01", 1],
  ["\x89", false],
  ["K\x00", 0],
  ["G\x80\x00\x00\x00\x00\x00\x00\x00", real(-0)],
  ["G\x3f\xf8\x00\x00\x00\x00\x00\x00", 1.5],
  // 2^53 as a float and as an integer
  ["G\x43\x40\x00\x00\x00\x00\x00\x00", real(2 ** 53)],
  ["\x8a\x07\x00\x00\x00\x00\x00\x00\x20", 2n ** 53n],
  ["\x8a\x07\x01\x00\x00\x00\x00\x00\x20", 2n ** 53n + 1n],
  ["\x8c\x011", "1"],
  ["X\x01\x00\x00\x001", "1"],
  ["C\x011", bytes(0x31)],
  ["B\x01\x00\x00\x001", bytes(0x31)],
  ["N", null],
  ["\x8c\x04None", "None"],
  [")", tuple()],
  ["K\x01\x85", tuple(1)],
  ["\x88\x85", tuple(true)],
  ["K\x01K\x02\x86", tuple(1, 2)],
  ["\x8c\x031,2\x85", tuple("1,2")],
  ["\x8c\x011\x85", tuple("1")],
  ["C\x011\x85", tuple(bytes(0x31))],
  ["N\x85", tuple(null)],
  ["K\x01\x85\x85", tuple(tuple(1))],
  ["G\x3f\xf0\x00\x00\x00\x00\x00\x00\x85\x85", tuple(tuple(real(1)))],
  ["(K\x01K\x02\x91", frozenset(1, 2)],
  ["(K\x02K\x01\x91", frozenset(2, 1)],
  ["(K\x02K\x01\x91\x85", tuple(frozenset(2, 1))],
  ["ca\nb\n", global("a", "b")],
  ["\x8c\x01a\x8c\x01b\x93", global("a", "b")],
  ["ca\nb\n\x85", tuple(global("a", "b"))],
  ["ca\nc\n", global("a", "c")],
  // Lists cannot be keys in Python; here each is equal to itself only.
  ["]", list()],
  ["]", list()],
  ["]\x85", tuple(list())],
  ["]\x85", tuple(list())],
  // No NaN is equal to another.
  ["G\x7f\xf8\x00\x00\x00\x00\x00\x00", Number.NaN],
  ["G\x7f\xf8\x00\x00\x00\x00\x00\x00", Number.NaN],
];

/** CPython 3.11 gives these places to KEYS in a dict (lists and NaN left out of it). */
const GROUPS = [
  0, 0, 0, 0, 4, 4, 4, 7, 8, 8, 10, 11, 11, 13, 13, 15, 16, 17, 18, 18, 20, 21, 22, 23, 24, 25, 25, 27, 27, 29, 30, 30, 32, 33, 34, 35, 36,
  37, 38, 39,
];

function readEntries(text: string): PickleEntry[] {
  const { value } = readPickle(stream(text));
  const mapping = isPickleNode(value) && (value.kind === "dict" || value.kind === "call") ? value.keysAndValues : undefined;
  return entriesOf(mapping ?? []);
}

describe("equal keys", () => {
  it("are merged in small dicts as in Python: first place and key, last value", () => {
    for (const [first, [a]] of KEYS.entries()) {
      for (const [second, [b]] of KEYS.entries()) {
        if (first >= second) continue;
        const entries = readEntries(`}(${a}K\x07${b}K\x08u.`);
        const same = GROUPS[first] === GROUPS[second];
        expect(entries, `${JSON.stringify(a)} and ${JSON.stringify(b)}`).toEqual(
          same
            ? [[KEYS[first]?.[1], 8]]
            : [
                [KEYS[first]?.[1], 7],
                [KEYS[second]?.[1], 8],
              ],
        );
      }
    }
  });

  it.each([
    ["at once by SETITEMS", `}(${KEYS.map(([key], index) => `${key}K${String.fromCharCode(index)}`).join("")}u.`],
    ["at once by DICT", `(${KEYS.map(([key], index) => `${key}K${String.fromCharCode(index)}`).join("")}d.`],
    ["one by one", `}${KEYS.map(([key], index) => `${key}K${String.fromCharCode(index)}s`).join("")}.`],
    ["in an OrderedDict", `ccollections\nOrderedDict\n)R(${KEYS.map(([key], index) => `${key}K${String.fromCharCode(index)}`).join("")}u.`],
  ])("are merged in large mappings, filled %s", (_how, text) => {
    const places = [...new Set(GROUPS)];
    expect(readEntries(text)).toEqual(places.map((first) => [KEYS[first]?.[1], GROUPS.lastIndexOf(first)]));
  });

  it("are merged in sets", () => {
    const places = [...new Set(GROUPS)];
    const all = KEYS.map(([key]) => key).join("");
    const items = places.map((place) => KEYS[place]?.[1]);
    expect(readPickle(stream(`\x8f(${all}\x90.`)).value).toEqual({ kind: "set", items });
    expect(readPickle(stream(`(${all}\x91.`)).value).toEqual({ kind: "frozenset", items });
    expect(readPickle(stream(`\x8f(${KEYS.map(([key]) => key).join("\x90(")}\x90.`)).value).toEqual({ kind: "set", items });
  });

  it("are reported, because no pickler writes them", () => {
    const { findings } = readPickle(stream("}(K\x01N\x88Nu."));
    expect(findings.map((finding) => finding.rule)).toContain("pickle-duplicate-key");
  });

  it("named __proto__ are keys like others", () => {
    expect(readEntries("}(\x8c\x09__proto__K\x01\x8c\x0bconstructorK\x02u.")).toEqual([
      ["__proto__", 1],
      ["constructor", 2],
    ]);
  });

  it("are found again after many equal ones", () => {
    const twenty = "K\x01N".repeat(20);
    expect(readEntries(`}(${twenty}u(K\x02NK\x01\x88u(${"K\x02NK\x03N".repeat(9)}u.`)).toEqual([
      [1, true],
      [2, null],
      [3, null],
    ]);
  });
});
