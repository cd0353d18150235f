import type { ScanResult } from "@ckptkit/core";
import { expect } from "vitest";
import type { TensorTruth } from "./fixture-types.js";

/**
 * Rounding that a float64 sum over a fixture's few thousand numbers may gather in another order than torch's, relative to the
 * largest number: 2^-53 times the count, with room.
 */
const RELATIVE_ERROR = 1e-11;

/**
 * Expects a scan to find what torch found: counts, minimum and maximum exactly; mean and standard deviation up to the
 * rounding of another order of summation.
 *
 * @example expectStatistics(await scan(tensor), truth);
 */
export function expectStatistics(found: ScanResult, truth: TensorTruth): void {
  const { nan, posInf, negInf, zeros, min, max, mean, std } = truth;
  const exact = ({ min, max, ...rest }: Pick<ScanResult, "nan" | "posInf" | "negInf" | "zeros" | "min" | "max">) => ({
    ...rest,
    // Zeros of either sign are one number here.
    min: min === null ? null : min + 0,
    max: max === null ? null : max + 0,
  });
  expect(
    exact({ nan: found.nan, posInf: found.posInf, negInf: found.negInf, zeros: found.zeros, min: found.min, max: found.max }),
    truth.path,
  ).toEqual({
    nan,
    posInf,
    negInf,
    zeros,
    min,
    max,
  });
  const scale = Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0));
  expectClose(found.mean, mean, scale, `${truth.path}: mean`);
  expectClose(found.std, std, scale, `${truth.path}: standard deviation`);
}

function expectClose(found: number | null, truth: number | null | undefined, scale: number, what: string): void {
  if (found === null || truth === null || truth === undefined) expect(found, what).toBe(truth);
  else expect(Math.abs(found - truth), `${what}: found ${found}, torch says ${truth}`).toBeLessThanOrEqual(RELATIVE_ERROR * scale);
}
