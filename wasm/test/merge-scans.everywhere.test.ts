import { DTYPES, type Kernels, SCAN_DTYPES, SCAN_PART_BYTES, type ScanDType, type ScanPart } from "@ckptkit/core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { IMPLEMENTATIONS } from "./implementations.js";

/** Bytes of every pattern, the same every time; NaN, infinities and numbers of any size among them where the dtype has them. */
function patterns(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state ^ (state >>> 15);
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Bytes of numbers around 1, so that mean and deviation are ordinary ones. */
function ordinary(dtype: ScanDType, length: number): Uint8Array {
  const noise = patterns(length, 7);
  if (dtype === "F64") return new Uint8Array(Float64Array.from({ length: length / 8 }, (_, i) => 1 + (noise[i] ?? 0) / 1e6).buffer);
  if (dtype === "F32") return new Uint8Array(Float32Array.from({ length: length / 4 }, (_, i) => 1 + (noise[i] ?? 0) / 1e3).buffer);
  return noise;
}

describe.each(IMPLEMENTATIONS)("scans in parts, in $name", ({ name, load }) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await load();
  });

  function part(dtype: ScanDType, bytes: Uint8Array): ScanPart {
    const scanner = kernels.scanner(dtype);
    scanner.update(bytes);
    const found = scanner.part();
    scanner.free();
    return found;
  }

  test.each(SCAN_DTYPES)("of %s elements give what one scanner gives, to the last bit", (dtype) => {
    // The plain kernels are slow: fewer parts say the same.
    const parts = name === "js" ? 1 : 5;
    const itemBytes = DTYPES[dtype].bits / 8;
    for (const bytes of [
      patterns(parts * SCAN_PART_BYTES + 8192 * 3 + 5 * itemBytes, 3),
      ordinary(dtype, parts * SCAN_PART_BYTES + 16 * itemBytes),
      ...(name === "js" ? [] : [ordinary(dtype, 2 * SCAN_PART_BYTES)]),
    ]) {
      const whole = kernels.scanner(dtype);
      whole.update(bytes);
      const cut: ScanPart[] = [];
      for (let at = 0; at < bytes.length; at += SCAN_PART_BYTES) cut.push(part(dtype, bytes.subarray(at, at + SCAN_PART_BYTES)));
      expect(kernels.mergeScans(structuredClone(cut))).toEqual(whole.result());
      whole.free();
    }
  });

  test("however elements are cut into smaller parts, counts and extremes stay, and the mean to rounding", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.double({ min: -1e6, max: 1e6 }), { maxLength: 40 }), { minLength: 1, maxLength: 6 }), (runs) => {
        const encode = (numbers: number[]): Uint8Array => new Uint8Array(Float64Array.from(numbers).buffer);
        const { mean, std, ...rest } = kernels.mergeScans(runs.map((run) => part("F64", encode(run))));
        const { mean: exactMean, std: exactStd, ...exact } = kernels.mergeScans([part("F64", encode(runs.flat()))]);
        expect(rest).toEqual(exact);
        expect(Math.abs((mean ?? 0) - (exactMean ?? 0))).toBeLessThanOrEqual(1e-9);
        expect(Math.abs((std ?? 0) - (exactStd ?? 0))).toBeLessThanOrEqual(1e-8);
      }),
    );
  });

  test("no parts, or parts of two dtypes, are a defect of the caller and not a result", () => {
    expect(() => kernels.mergeScans([])).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    const parts = [part("F32", new Uint8Array(4)), part("F16", new Uint8Array(4))];
    expect(() => kernels.mergeScans(parts)).toThrow(expect.objectContaining({ code: "INTERNAL" }));
  });
});
