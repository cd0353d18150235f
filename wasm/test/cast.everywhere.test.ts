import { CAST_DTYPES, type CastDType, DTYPES, type Kernels } from "@ckptkit/core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { crc32 } from "../src/js/index.js";
import { FROM_F32, FROM_F64, OF_ALL_PATTERNS } from "./cast-truth.js";
import { encode, encodeLongs, FLOAT_FORMATS, floatValue } from "./element-values.js";
import { IMPLEMENTATIONS, unaligned } from "./implementations.js";

const itemBytes = (dtype: CastDType): number => DTYPES[dtype].bits / 8;

/** Bit patterns of elements; NaN of any kind is null. */
function bitsOf(dtype: CastDType, bytes: Uint8Array): (number | bigint | null)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / itemBytes(dtype) }, (_, i) => {
    if (dtype === "F64") return Number.isNaN(view.getFloat64(8 * i, true)) ? null : view.getBigUint64(8 * i, true);
    if (dtype === "F32") return Number.isNaN(view.getFloat32(4 * i, true)) ? null : view.getUint32(4 * i, true);
    const bits = view.getUint16(2 * i, true);
    return Number.isNaN(floatValue(FLOAT_FORMATS[dtype], bits)) ? null : bits;
  });
}

/** The bytes with every NaN written as bytes of `filler`. */
function withoutNaN(dtype: CastDType, bytes: Uint8Array, filler: number): Uint8Array {
  const copy = bytes.slice();
  for (const [i, bits] of bitsOf(dtype, bytes).entries()) {
    if (bits === null) copy.fill(filler, i * itemBytes(dtype), (i + 1) * itemBytes(dtype));
  }
  return copy;
}

const ALL_PATTERNS = encode(
  "U16",
  Array.from({ length: 65536 }, (_, bits) => bits),
);

describe.each(IMPLEMENTATIONS)("casts in $name", ({ load }) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await load();
  });

  function cast(from: CastDType, to: CastDType, source: Uint8Array): Uint8Array {
    const target = new Uint8Array((source.length / itemBytes(from)) * itemBytes(to));
    expect(kernels.cast(from, to, source, target)).toBe(target.length);
    return target;
  }

  test("float32 becomes what torch makes of it, ties and edges included", () => {
    const source = encode(
      "U32",
      FROM_F32.map(([bits]) => bits),
    );
    expect(bitsOf("F16", cast("F32", "F16", source))).toEqual(FROM_F32.map(([, f16]) => f16));
    expect(bitsOf("BF16", cast("F32", "BF16", source))).toEqual(FROM_F32.map(([, , bf16]) => bf16));
  });

  test("float64 becomes what torch makes of it: rounded to float32 first, then to 16 bits", () => {
    const source = encodeLongs(
      "U64",
      FROM_F64.map(([bits]) => bits),
    );
    expect(bitsOf("F32", cast("F64", "F32", source))).toEqual(FROM_F64.map(([, f32]) => f32));
    expect(bitsOf("F16", cast("F64", "F16", source))).toEqual(FROM_F64.map(([, , f16]) => f16));
    expect(bitsOf("BF16", cast("F64", "BF16", source))).toEqual(FROM_F64.map(([, , , bf16]) => bf16));
  });

  test.each(["F16", "BF16"] as const)("all 65,536 %s patterns become what torch makes of them, in every other dtype", (from) => {
    for (const [to, crc] of Object.entries(OF_ALL_PATTERNS[from]) as [CastDType, number][]) {
      expect(crc32(withoutNaN(to, cast(from, to, ALL_PATTERNS), 0)), to).toBe(crc);
    }
  });

  test.each(["F16", "BF16"] as const)("all 65,536 %s patterns come back from float32 and float64; NaN comes back as NaN", (from) => {
    // Ones are a NaN themselves, so that no number can be taken for the filler.
    const expected = crc32(withoutNaN(from, ALL_PATTERNS, 0xff));
    for (const wide of ["F32", "F64"] as const) {
      expect(crc32(withoutNaN(from, cast(wide, from, cast(from, wide, ALL_PATTERNS)), 0xff))).toBe(expected);
    }
  });

  test.each(["F16", "BF16"] as const)("any float32 becomes the nearest %s, the even one of two", (to) => {
    const values = Array.from({ length: 65536 }, (_, bits) => ({ bits, value: floatValue(FLOAT_FORMATS[to], bits) }));
    const positive = values.slice(
      0,
      values.findIndex(({ value }) => value === Infinity),
    );
    const largest = positive.at(-1)?.value ?? 0;
    // Where the next finite number would be: from half-way to it on, everything is infinite.
    const beyond = 2 * largest - (positive.at(-2)?.value ?? 0);
    const property = fc.property(fc.float({ noNaN: true }), (x) => {
      const magnitude = Math.abs(x);
      let nearest = positive.length;
      if (magnitude < (largest + beyond) / 2) {
        let low = 0;
        let high = positive.length;
        while (high - low > 1) {
          const middle = (low + high) >> 1;
          if ((positive[middle]?.value ?? Infinity) <= magnitude) low = middle;
          else high = middle;
        }
        const below = magnitude - (positive[low]?.value ?? 0);
        const above = (positive[high]?.value ?? beyond) - magnitude;
        nearest = below < above || (below === above && low % 2 === 0) ? low : high;
      }
      const sign = Object.is(Math.sign(x), -1) || Object.is(x, -0) ? 0x8000 : 0;
      expect(bitsOf(to, cast("F32", to, encode("F32", [x])))).toEqual([sign + nearest]);
    });
    fc.assert(property, { numRuns: 300 });
  });

  test.each(CAST_DTYPES.flatMap((from) => CAST_DTYPES.map((to) => [from, to] as const)))(
    "%s to %s is the same at every length and alignment, inside and outside of the kernels' memory",
    (from, to) => {
      // Long enough to go through the copying in pieces.
      const numbers = Array.from({ length: 20_011 }, (_, i) => Math.sin(i) * 2 ** ((i % 60) - 30));
      const all = cast("F64", from, encode("F64", numbers));
      const whole = cast(from, to, all);
      const room = kernels.allocate(all.length + 16);
      const out = kernels.allocate(whole.length + 16);
      for (const elements of [0, 1, 2, 7, 8, 9, 15, 17, 1000, numbers.length]) {
        const source = all.subarray(0, elements * itemBytes(from));
        const expected = whole.subarray(0, elements * itemBytes(to));
        const offset = elements % 5;
        const inside = room.bytes.subarray(offset, offset + source.length);
        inside.set(source);
        for (const given of [inside, unaligned(source, offset)]) {
          for (const target of [out.bytes.subarray(offset + 1), new Uint8Array(expected.length + 20).subarray(offset)]) {
            target.fill(0xa5);
            expect(kernels.cast(from, to, given, target)).toBe(expected.length);
            expect(crc32(target.subarray(0, expected.length))).toBe(crc32(expected));
            expect(target[expected.length], "the byte after the target").toBe(0xa5);
          }
        }
      }
      room.free();
      out.free();
    },
  );

  test("a cast to the same dtype copies every bit", () => {
    expect(crc32(cast("F16", "F16", ALL_PATTERNS))).toBe(crc32(ALL_PATTERNS));
    expect(crc32(cast("BF16", "BF16", ALL_PATTERNS))).toBe(crc32(ALL_PATTERNS));
  });

  test("a target that is too small, half an element and an overlap are refused", () => {
    const invalid = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    expect(() => kernels.cast("F32", "F64", new Uint8Array(8), new Uint8Array(15))).toThrow(invalid);
    expect(() => kernels.cast("F32", "F16", new Uint8Array(6), new Uint8Array(16))).toThrow(invalid);
    const bytes = new Uint8Array(24);
    expect(() => kernels.cast("F32", "F16", bytes.subarray(0, 16), bytes.subarray(8))).toThrow(invalid);
    expect(kernels.cast("F32", "F16", bytes.subarray(0, 16), bytes.subarray(16))).toBe(8);
    // @ts-expect-error: for callers without types
    expect(() => kernels.cast("F8", "F16", bytes, new Uint8Array(9))).toThrow(invalid);
  });
});
