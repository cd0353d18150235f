import type { TensorValue } from "@ckptkit/inspect";

/** Significant digits that tell apart all numbers of a dtype. @see IEEE 754-2019 section 5.12.2 */
const DIGITS: Readonly<Record<string, number>> = { F32: 9, C64: 9, F16: 5, C32: 5, BF16: 4 };

/**
 * A value of a tensor in the fewest digits that tell it from its neighbours of the dtype: 0.1, not the 0.10000000149011612 that a
 * float32 of it is.
 */
export function valueText(value: TensorValue, dtype: string): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) {
    const [first, second] = [valueText(value[0], dtype), valueText(value[1], dtype)];
    if (!dtype.startsWith("C")) return `(${first}, ${second})`;
    return `${first}${/^[-]/.test(second) ? "" : "+"}${second}j`;
  }
  if (typeof value === "string") return value.replace("Infinity", "inf").replace("NaN", "nan");
  return shortest(value, DIGITS[dtype]);
}

function shortest(value: number, digits: number | undefined): string {
  if (digits === undefined || Number.isInteger(value)) return String(value);
  if (digits < 9) return String(Number(value.toPrecision(digits)));
  for (let precision = 1; precision < digits; precision++) {
    const short = Number(value.toPrecision(precision));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(digits)));
}
