import type { ScanDType, ScanResult } from "@ckptkit/core";
import { byteValue } from "./js/byte-values.js";
import { EMPTY_TOTALS, toScanResult } from "./scan-result.js";

/** Dtypes of one byte: 256 counters say everything about their elements. */
export type ByteDType = Extract<ScanDType, "F8_E4M3" | "F8_E5M2" | "I8" | "U8" | "BOOL">;

/** Whether a dtype has elements of one byte. */
export function isByteDType(dtype: ScanDType): dtype is ByteDType {
  return dtype === "F8_E4M3" || dtype === "F8_E5M2" || dtype === "I8" || dtype === "U8" || dtype === "BOOL";
}

/** The result of a scan of one-byte elements from how often each byte occurs. */
export function byteScanResult(dtype: ByteDType, counts: ArrayLike<number>): ScanResult {
  const totals = { ...EMPTY_TOTALS };
  let n = 0;
  const finite: { value: number; times: number }[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const times = counts[byte] ?? 0;
    if (times === 0) continue;
    const value = byteValue(dtype, byte);
    totals.count += times;
    if (Number.isNaN(value)) totals.nan += times;
    else if (value === Infinity) totals.posInf += times;
    else if (value === -Infinity) totals.negInf += times;
    else {
      if (value === 0) totals.zeros += times;
      n += times;
      totals.min = Math.min(totals.min, value);
      totals.max = Math.max(totals.max, value);
      finite.push({ value, times });
    }
  }
  let mean = 0;
  for (const { value, times } of finite) mean += value * times;
  mean /= n;
  let squares = 0;
  for (const { value, times } of finite) squares += times * (value - mean) ** 2;
  return toScanResult(totals, { n, mean, std: Math.sqrt(squares / n) });
}
