import { DTYPES, type Kernels, SCAN_DTYPES, type ScanDType, type ScanResult } from "@ckptkit/core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { encode, encodeLongs, FLOAT_FORMATS, floatValue } from "./element-values.js";
import { exactStatistics } from "./exact-statistics.js";
import { IMPLEMENTATIONS, inPieces, unaligned } from "./implementations.js";

/** Counts and extremes by definition, mean and deviation exactly. */
function truth(numbers: readonly (number | bigint)[]): ScanResult {
  const finite = numbers.filter((x) => typeof x === "bigint" || Number.isFinite(x));
  const ordered = finite.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const statistics = finite.length === 0 ? { mean: null, std: null } : exactStatistics(finite);
  return {
    count: numbers.length,
    nan: numbers.filter(Number.isNaN).length,
    posInf: numbers.filter((x) => x === Infinity).length,
    negInf: numbers.filter((x) => x === -Infinity).length,
    zeros: numbers.filter((x) => Number(x) === 0).length,
    min: finite.length === 0 ? null : Number(ordered[0]) + 0,
    max: finite.length === 0 ? null : Number(ordered.at(-1)) + 0,
    ...statistics,
  };
}

/** Expects counts and extremes exactly; the mean to 1e-13 of the largest magnitude, the deviation to 1e-12 of itself. */
function expectTruth(found: ScanResult, numbers: readonly (number | bigint)[]): void {
  const { mean, std, ...exact } = truth(numbers);
  const { mean: foundMean, std: foundStd, ...foundExact } = found;
  expect(foundExact).toEqual(exact);
  if (mean === null || std === null) {
    expect([foundMean, foundStd]).toEqual([null, null]);
    return;
  }
  const scale = Math.max(Math.abs(found.min ?? 0), Math.abs(found.max ?? 0));
  expect(Math.abs((foundMean ?? Number.NaN) / 4 - mean / 4), `mean ${foundMean}, exactly ${mean}`).toBeLessThanOrEqual((1e-13 * scale) / 4);
  expect(Math.abs((foundStd ?? Number.NaN) - std), `deviation ${foundStd}, exactly ${std}`).toBeLessThanOrEqual(1e-12 * std);
}

/** Numbers between -1 and 1 without a pattern, the same every time. */
function noise(length: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const patterns16 = Array.from({ length: 65536 }, (_, bits) => bits);
const patterns8 = patterns16.slice(0, 256);

describe.each(IMPLEMENTATIONS)("scans in $name", ({ load }) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await load();
  });

  function scan(dtype: ScanDType, ...parts: Uint8Array[]): ScanResult {
    const scanner = kernels.scanner(dtype);
    for (const part of parts) scanner.update(part);
    const result = scanner.result();
    scanner.free();
    return result;
  }

  test.each(SCAN_DTYPES)("no %s elements have no extremes, mean or deviation", (dtype) => {
    const empty = { count: 0, nan: 0, posInf: 0, negInf: 0, zeros: 0, min: null, max: null, mean: null, std: null };
    expect(scan(dtype)).toEqual(empty);
    expect(scan(dtype, new Uint8Array(0))).toEqual(empty);
  });

  test("special values are counted, and left out of everything else", () => {
    const numbers = [Number.NaN, 3, Infinity, -Infinity, 0, -0, -1, Infinity, Number.NaN, Number.NaN];
    const found = { count: 10, nan: 3, posInf: 2, negInf: 1, zeros: 2, min: -1, max: 3, mean: 0.5, std: 1.5 };
    expect(scan("F64", encode("F64", numbers))).toEqual(found);
    expect(scan("F32", encode("F32", numbers))).toEqual(found);
    expect(scan("C64", encode("C64", numbers))).toEqual(found);
    const f16 = [0x7e00, 0x4200, 0x7c00, 0xfc00, 0x0000, 0x8000, 0xbc00, 0x7c00, 0x7c01, 0xfc01];
    const bf16 = [0x7fc0, 0x4040, 0x7f80, 0xff80, 0x0000, 0x8000, 0xbf80, 0x7f80, 0x7f81, 0xff81];
    expect(scan("F16", encode("U16", f16))).toEqual(found);
    expect(scan("BF16", encode("U16", bf16))).toEqual(found);
    expect(scan("F8_E5M2", Uint8Array.of(0x7e, 0x42, 0x7c, 0xfc, 0x00, 0x80, 0xbc, 0x7c, 0x7d, 0xff))).toEqual(found);
  });

  test("the fn variant of F8_E4M3 has two NaNs and no infinities", () => {
    // 0x7e is 448, the largest; 0x78 would be an infinity in an IEEE format, here it is 256.
    const found = { count: 6, nan: 2, posInf: 0, negInf: 0, zeros: 1, min: -448, max: 448, mean: 64, std: Math.sqrt(116736 - 4096) };
    expect(scan("F8_E4M3", Uint8Array.of(0x7f, 0xff, 0x7e, 0xfe, 0x78, 0x00))).toEqual(found);
  });

  test("a byte that is not zero is a true BOOL", () => {
    const found = { count: 4, nan: 0, posInf: 0, negInf: 0, zeros: 1, min: 0, max: 1, mean: 0.75, std: Math.sqrt(0.1875) };
    expect(scan("BOOL", Uint8Array.of(0, 1, 2, 255))).toEqual(found);
  });

  test.each([
    ["I8", encode("I8", [-128, 127, 0, -1]), [-128, 127, 0, -1]],
    ["U8", encode("U8", [255, 1, 0]), [255, 1, 0]],
    ["I16", encode("I16", [-32768, 32767, 0, -1]), [-32768, 32767, 0, -1]],
    ["U16", encode("U16", [65535, 32768, 0]), [65535, 32768, 0]],
    ["I32", encode("I32", [-(2 ** 31), 2 ** 31 - 1, 0, -1]), [-(2 ** 31), 2 ** 31 - 1, 0, -1]],
    ["U32", encode("U32", [2 ** 32 - 1, 2 ** 31, 0]), [2 ** 32 - 1, 2 ** 31, 0]],
    ["I64", encodeLongs("I64", [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n]), [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n]],
    ["U64", encodeLongs("U64", [2n ** 64n - 1n, 2n ** 63n, 0n]), [2n ** 64n - 1n, 2n ** 63n, 0n]],
  ] as const)("%s integers are read with their sign at both ends of the range", (dtype, bytes, numbers) => {
    expectTruth(scan(dtype, bytes), numbers);
    // Above a block the fast paths are at work.
    const times = Math.ceil(20_000 / bytes.length);
    const many = new Uint8Array(bytes.length * times);
    for (let i = 0; i < times; i++) many.set(bytes, i * bytes.length);
    expectTruth(scan(dtype, many), Array.from({ length: times }, () => [...numbers]).flat());
  });

  test.each(["F16", "BF16"] as const)("every one of the 65,536 %s patterns is read as its definition says", (dtype) => {
    const values = patterns16.map((bits) => floatValue(FLOAT_FORMATS[dtype], bits));
    expectTruth(scan(dtype, encode("U16", patterns16)), values);
    for (const bits of [...patterns16.filter((bits) => bits % 1021 === 0), 1, 0x3ff, 0x400, 0x7bff, 0x7c01, 0x7f7f, 0x80, 0xfbff, 0xff7f]) {
      const value = floatValue(FLOAT_FORMATS[dtype], bits);
      const alone = scan(dtype, encode("U16", [bits]));
      expect([alone.min, alone.nan]).toEqual(Number.isFinite(value) ? [value + 0, 0] : [null, Number.isNaN(value) ? 1 : 0]);
      // A block of one value goes through the fast path.
      const block = scan(dtype, encode("U16", new Array(4096).fill(bits)));
      expect([block.min, block.mean, block.nan]).toEqual(
        Number.isFinite(value) ? [value + 0, value + 0, 0] : [null, null, Number.isNaN(value) ? 4096 : 0],
      );
    }
  });

  test.each(["F8_E4M3", "F8_E5M2"] as const)("every one of the 256 %s patterns is read as its definition says", (dtype) => {
    expectTruth(
      scan(dtype, encode("U8", patterns8)),
      patterns8.map((bits) => floatValue(FLOAT_FORMATS[dtype], bits)),
    );
    for (const bits of patterns8) {
      const value = floatValue(FLOAT_FORMATS[dtype], bits);
      expect(scan(dtype, Uint8Array.of(bits)).max).toBe(Number.isFinite(value) ? value + 0 : null);
    }
  });

  test("blocks, parts of blocks and special values among them are exact to rounding", () => {
    for (const length of [1, 7, 2047, 2048, 2049, 6144, 10_001]) {
      const plain = noise(length).map(Math.fround);
      expectTruth(scan("F32", encode("F32", plain)), plain);
      const mixed = plain.map((x, i) => (i % 1500 === 3 ? Number.NaN : i % 1500 === 9 ? -Infinity : i % 3 === 0 ? 0 : x));
      expectTruth(scan("F32", encode("F32", mixed)), mixed);
      expectTruth(scan("F64", encode("F64", mixed)), mixed);
    }
  });

  test.each([
    ["a mean of a million and a deviation of a thousandth", (x: number) => 1e6 + x * 1e-3],
    ["a mean of 1e9 and a deviation of 1e-6", (x: number) => 1e9 + x * 1e-6],
    ["numbers near the largest float64", (x: number) => x * 1.7e308],
    ["numbers near the smallest normal float64", (x: number) => x * 1e-306],
    ["subnormal numbers", (x: number) => x * 1e-310],
    ["numbers whose squares are subnormal", (x: number) => x * 1e-160],
    ["a large first number among small ones", (x: number, i: number) => (i === 0 ? 1e12 : x)],
    ["tiny, usual and huge blocks", (x: number, i: number) => x * (i < 1024 ? 1e-300 : i < 2048 ? 1 : 1e300)],
    ["huge, then tiny blocks", (x: number, i: number) => x * (i < 1024 ? 1e300 : 1e-300)],
    ["one number, over and over", () => 0.1],
  ])("mean and deviation hold for %s", (_, shape) => {
    const numbers = noise(4500).map(shape);
    expectTruth(scan("F64", encode("F64", numbers)), numbers);
  });

  test("float32 with a large mean and a small deviation keeps its deviation", () => {
    const numbers = noise(5000).map((x) => Math.fround(4096 + x * 1e-2));
    expectTruth(scan("F32", encode("F32", numbers)), numbers);
    expectTruth(scan("F32", encode("F32", [3.4028234663852886e38, -3.4028234663852886e38, 1e-45])), [
      3.4028234663852886e38,
      -3.4028234663852886e38,
      Math.fround(1e-45),
    ]);
  });

  test("64-bit integers near each other keep their deviation, however large they are", () => {
    const stamps = noise(3000).map((x) => 1_700_000_000_000_000_000n + BigInt(Math.round(x * 1000)));
    expectTruth(scan("I64", encodeLongs("I64", stamps)), stamps);
    expectTruth(scan("U64", encodeLongs("U64", stamps)), stamps);
    const signs = noise(3000).map((x) => BigInt(Math.round(x * 2 ** 50)) * 2n ** 12n + 1n);
    expectTruth(scan("I64", encodeLongs("I64", signs)), signs);
  });

  test.each(SCAN_DTYPES)("a result of %s does not depend on cuts, alignment, place, or results taken before", (dtype) => {
    const itemBytes = DTYPES[dtype].bits / 8;
    // Random bits of a float hold special values; random small integers, none.
    const bits = encode(
      "U8",
      noise(30_000).map((x) => Math.floor((x + 1) * 128)),
    );
    const buffer = kernels.allocate(bits.length + 8);
    const property = fc.property(
      fc.nat({ max: bits.length / itemBytes }),
      fc.array(fc.nat({ max: bits.length / itemBytes }), { maxLength: 5 }),
      fc.nat({ max: 7 }),
      (elements, cuts, offset) => {
        const bytes = bits.subarray(0, elements * itemBytes);
        const whole = scan(dtype, bytes);
        const scanner = kernels.scanner(dtype);
        const partial = cuts.map((cut) => (cut % (elements + 1)) * itemBytes);
        inPieces(bytes, partial, (part) => {
          const inside = buffer.bytes.subarray(offset, offset + part.length);
          inside.set(part);
          scanner.update(part.length % 3 === 0 ? inside : unaligned(part, offset));
          scanner.result();
        });
        expect(scanner.result()).toEqual(whole);
        expect(scanner.result()).toEqual(whole);
        scanner.free();
      },
    );
    fc.assert(property, { numRuns: 20 });
    buffer.free();
  });

  test.each([
    ["F64", fc.double()],
    ["F32", fc.float()],
  ] as const)("any %s numbers give the exact counts and extremes", (dtype, number) => {
    const property = fc.property(fc.array(number, { maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (numbers, times) => {
      const many = Array.from({ length: times }, () => numbers).flat();
      const { mean: _mean, std: _std, ...exact } = truth(many);
      expect(scan(dtype, encode(dtype, many))).toMatchObject(exact);
    });
    fc.assert(property, { numRuns: 40 });
  });
});

describe("the implementations", () => {
  test.each(SCAN_DTYPES)("give the same %s results to the last bit", async (dtype) => {
    const bits = encode(
      "U8",
      noise(120_000, 7).map((x) => Math.floor((x + 1) * 128)),
    );
    // The same with most exponents those of weights, so that whole blocks are finite.
    const weights = encode(
      "F32",
      noise(30_000).map((x) => x * 0.02),
    );
    const results = [];
    for (const { load } of IMPLEMENTATIONS) {
      const kernels = await load();
      const scanner = kernels.scanner(dtype);
      scanner.update(bits);
      scanner.update(weights);
      results.push(scanner.result());
      const second = kernels.scanner(dtype);
      second.update(weights);
      results.push(second.result());
    }
    expect(results.slice(2)).toEqual(results.slice(0, 2));
  });
});
