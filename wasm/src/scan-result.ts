import type { ScanPart, ScanResult } from "@ckptkit/core";

/** What a scan has counted. Without finite numbers, `min` is Infinity and `max` -Infinity. */
export type ScanTotals = { -readonly [key in "count" | "nan" | "posInf" | "negInf" | "zeros" | "min" | "max"]: number };

/** A scan that has seen nothing. */
export const EMPTY_TOTALS: Readonly<ScanTotals> = { count: 0, nan: 0, posInf: 0, negInf: 0, zeros: 0, min: Infinity, max: -Infinity };

/** Adds what was counted in one more part. */
export function addTotals(totals: ScanTotals, part: Exclude<ScanPart, { counts: unknown }>): void {
  for (const key of ["count", "nan", "posInf", "negInf", "zeros"] as const) totals[key] += part[key];
  totals.min = Math.min(totals.min, part.min);
  totals.max = Math.max(totals.max, part.max);
}

/** The result of a scan: no value where there is no finite number, no negative zero, and a mean that rounding has not moved out of range. */
export function toScanResult(totals: ScanTotals, finite: { n: number; mean: number; std: number }): ScanResult {
  const { count, nan, posInf, negInf, zeros, min, max } = totals;
  const counts = { count, nan, posInf, negInf, zeros };
  if (finite.n === 0) return { ...counts, min: null, max: null, mean: null, std: null };
  return { ...counts, min: min + 0, max: max + 0, mean: Math.min(Math.max(finite.mean, min), max) + 0, std: finite.std };
}
