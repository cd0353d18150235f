import { describe, expect, it } from "vitest";
import { lookup3 } from "../src/hdf5/checksum.js";
import { inflateLzf } from "../src/hdf5/lzf.js";
import { text } from "./sparse-source.js";

describe("the checksum of HDF5's structures", () => {
  // From the comments of its author's own driver5(): https://burtleburtle.net/bob/c/lookup3.c
  it.each([
    ["", 0xdeadbeef],
    ["Four score and seven years ago", 0x17770551],
  ])("of %j is that of lookup3.c", (value, expected) => {
    expect(lookup3(text(value))).toBe(expected);
  });
});

describe("LZF", () => {
  it("unpacks literals and references, also those that overlap what they make", () => {
    const packed = new Uint8Array([1, 97, 98, 0b1010_0000, 1, 0b1110_0000, 3, 0]);
    // "ab", then 7 bytes from 2 back, then 12 bytes from 1 back.
    expect(inflateLzf(packed, 21)).toEqual(text("ababababa".padEnd(21, "a")));
  });

  it.each([
    ["a reference before the beginning", [0, 97, 0b0010_0000, 1], 4],
    ["literals beyond the end", [5, 97], 6],
    ["more than was said", [1, 97, 98], 1],
    ["less than was said", [1, 97, 98], 3],
    ["far less", [1, 97, 98], 100_000_000],
  ])("with %s is refused", (_, packed, length) => {
    expect(inflateLzf(new Uint8Array(packed), length)).toBeUndefined();
  });
});
