import type { ScanResult } from "@ckptkit/core";

/** What a scan has counted, before it is put into the form that callers see. */
export interface ScanTotals {
  count: number;
  nan: number;
  posInf: number;
  negInf: number;
  zeros: number;
  /** Finite numbers. The four values below mean nothing when there are none. */
  finite: number;
  min: number;
  max: number;
  mean: number;
  std: number;
}

/** The result of a scan: no value where there is no finite number, no negative zero, and a mean that rounding has not moved out of range. */
export function toScanResult({ finite, min, max, mean, std, ...counts }: ScanTotals): ScanResult {
  if (finite === 0) return { ...counts, min: null, max: null, mean: null, std: null };
  return { ...counts, min: min + 0, max: max + 0, mean: Math.min(Math.max(mean, min), max) + 0, std };
}
