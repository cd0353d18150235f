import type { ScanDType, ScanResult } from "@ckptkit/core";
import { EMPTY_TOTALS, toScanResult } from "./scan-result.js";

/** Dtypes of one byte: 256 counters say everything about their elements. */
export type ByteDType = Extract<ScanDType, "F8_E4M3" | "F8_E5M2" | "I8" | "U8" | "BOOL">;

/** Whether a dtype has elements of one byte. */
export function isByteDType(dtype: ScanDType): dtype is ByteDType {
  return dtype === "F8_E4M3" || dtype === "F8_E5M2" || dtype === "I8" || dtype === "U8" || dtype === "BOOL";
}

/**
 * The number that a byte stands for. F8_E4M3 is the "fn" variant: no infinities, NaN is 0x7f and 0xff.
 *
 * @see https://arxiv.org/abs/2209.05433 table 1
 */
function byteValue(dtype: ByteDType, byte: number): number {
  switch (dtype) {
    case "U8":
      return byte;
    case "I8":
      return byte < 128 ? byte : byte - 256;
    case "BOOL":
      return byte === 0 ? 0 : 1;
    case "F8_E4M3":
      return (byte & 0x7f) === 0x7f ? Number.NaN : minifloat(byte, 3, 7);
    case "F8_E5M2":
      if ((byte & 0x7f) > 0x7c) return Number.NaN;
      return (byte & 0x7f) === 0x7c ? (byte < 128 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY) : minifloat(byte, 2, 15);
  }
}

/** A float of eight bits: sign, exponent with `bias`, `mantissaBits` of mantissa. Exponent 0 means subnormal. */
function minifloat(byte: number, mantissaBits: number, bias: number): number {
  const exponent = (byte & 0x7f) >> mantissaBits;
  const fraction = (byte & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  const magnitude = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return byte < 128 ? magnitude : -magnitude;
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
