import { type Kernels, SCAN_DTYPES, type ScanDType } from "@ckptkit/core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { encode, FLOAT_FORMATS, floatValue } from "./element-values.js";
import { IMPLEMENTATIONS, unaligned } from "./implementations.js";

/** The bytes of a number that is finite, by dtype, and of ones that are not. */
const SPECIALS: Partial<Record<ScanDType, { finite: Uint8Array; others: Uint8Array[] }>> = {
  F64: { finite: encode("F64", [-1.7e308]), others: [NaN, Infinity, -Infinity].map((x) => encode("F64", [x])) },
  F32: { finite: encode("F32", [3.4e38]), others: [NaN, Infinity, -Infinity].map((x) => encode("F32", [x])) },
  C64: { finite: encode("C64", [-3.4e38]), others: [NaN, Infinity, -Infinity].map((x) => encode("C64", [x])) },
  F16: { finite: encode("U16", [0xfbff]), others: [0x7c00, 0xfc00, 0x7c01, 0xffff].map((bits) => encode("U16", [bits])) },
  BF16: { finite: encode("U16", [0xff7f]), others: [0x7f80, 0xff80, 0x7f81, 0xffff].map((bits) => encode("U16", [bits])) },
  F8_E5M2: { finite: Uint8Array.of(0xfb), others: [0x7c, 0xfc, 0x7d, 0xff].map((bits) => Uint8Array.of(bits)) },
  F8_E4M3: { finite: Uint8Array.of(0xfe), others: [0x7f, 0xff].map((bits) => Uint8Array.of(bits)) },
};
const FLOATS = Object.entries(SPECIALS).map(([dtype, numbers]) => ({ dtype: dtype as ScanDType, ...numbers })); // keys of the record

function repeated(number: Uint8Array, byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, i) => number[i % number.length] ?? 0);
}

describe.each(IMPLEMENTATIONS)("the search for NaN and infinities in $name", ({ load }) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await load();
  });

  function all(dtype: ScanDType, bytes: Uint8Array, step: number): number[] {
    const found: number[] = [];
    for (let at = kernels.nextNonFinite(dtype, bytes); at >= 0; at = kernels.nextNonFinite(dtype, bytes, at + step)) found.push(at / step);
    return found;
  }

  test.each(["F16", "BF16"] as const)("finds those of all 65,536 patterns of %s that are none of its finite numbers", (dtype) => {
    const bytes = encode("U16", Array(65536).keys());
    const buffer = kernels.allocate(bytes.length);
    buffer.bytes.set(bytes);
    const truth = [...Array(65536).keys()].filter((bits) => !Number.isFinite(floatValue(FLOAT_FORMATS[dtype], bits)));
    expect(all(dtype, buffer.bytes, 2)).toEqual(truth);
    buffer.free();
  });

  test.each(["F8_E5M2", "F8_E4M3"] as const)("finds those of all 256 patterns of %s that are none of its finite numbers", (dtype) => {
    const truth = [...Array(256).keys()].filter((bits) => !Number.isFinite(floatValue(FLOAT_FORMATS[dtype], bits)));
    expect(all(dtype, Uint8Array.from(Array(256).keys()), 1)).toEqual(truth);
  });

  test.each(["F32", "F64", "C64"] as const)("finds every one among random numbers of %s, from any address", (dtype) => {
    const number = fc.oneof(
      { weight: 30, arbitrary: fc.double({ min: -3e38, max: 3e38, noNaN: true }) },
      fc.constantFrom(NaN, Infinity, -Infinity),
    );
    const property = fc.property(fc.array(number, { maxLength: 400 }), fc.nat({ max: 15 }), (numbers, offset) => {
      const some = dtype === "C64" && numbers.length % 2 === 1 ? [...numbers, 0] : numbers;
      const truth = [...some.keys()].filter((i) => !Number.isFinite(dtype === "F64" ? some[i] : Math.fround(some[i] ?? 0)));
      expect(all(dtype, unaligned(encode(dtype, some), offset), dtype === "F64" ? 8 : 4)).toEqual(truth);
    });
    fc.assert(property, { numRuns: 60 });
  });

  test.each(FLOATS)("finds each kind of $dtype wherever it stands among the largest finite numbers", ({ dtype, finite, others }) => {
    const length = 300_000 - (300_000 % 8);
    const buffer = kernels.allocate(length);
    const outside = repeated(finite, length);
    buffer.bytes.set(outside);
    expect([kernels.nextNonFinite(dtype, outside), kernels.nextNonFinite(dtype, buffer.bytes)]).toEqual([-1, -1]);
    const places = [0, 8, 56, 64, 2040, 2048, 4096, 131_064, 131_072, 131_080, 262_144, length - 72, length - 64, length - 8];
    for (const [index, place] of places.entries()) {
      const special = others[index % others.length] ?? finite;
      for (const bytes of [outside, buffer.bytes]) {
        bytes.set(special, place);
        expect(kernels.nextNonFinite(dtype, bytes), `at ${place}`).toBe(place);
        expect(kernels.nextNonFinite(dtype, bytes, place)).toBe(place);
        expect(kernels.nextNonFinite(dtype, bytes, place + special.length)).toBe(-1);
        bytes.set(finite, place);
      }
    }
    buffer.free();
  });

  test.each(SCAN_DTYPES.filter((dtype) => !SPECIALS[dtype]))("finds nothing in %s, whatever its bytes are", (dtype) => {
    expect(kernels.nextNonFinite(dtype, new Uint8Array(4096).fill(0xff))).toBe(-1);
  });

  test("finds nothing in nothing, and behind the end", () => {
    const bytes = encode("F32", [NaN]);
    expect([
      kernels.nextNonFinite("F32", new Uint8Array(0)),
      kernels.nextNonFinite("F32", bytes, 4),
      kernels.nextNonFinite("F32", bytes, 400),
    ]).toEqual([-1, -1, -1]);
  });

  test("refuses half an element, a start within a number, and a dtype that it does not know", () => {
    const invalid = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    expect(() => kernels.nextNonFinite("F32", new Uint8Array(6))).toThrow(invalid);
    expect(() => kernels.nextNonFinite("F64", new Uint8Array(16), 4)).toThrow(invalid);
    expect(() => kernels.nextNonFinite("BF16", new Uint8Array(16), -2)).toThrow(invalid);
    expect(() => kernels.nextNonFinite("BF16", new Uint8Array(16), NaN)).toThrow(invalid);
    // @ts-expect-error: for callers without types
    expect(() => kernels.nextNonFinite("F4", new Uint8Array(16))).toThrow(invalid);
  });
});
