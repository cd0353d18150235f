export { formatSize } from "@ckptkit/core";

const COUNT_UNITS = ["", "K", "M", "B", "T"];

/**
 * A number of things for people, with three significant digits.
 *
 * @example formatCount(1_234_567) // "1.23 M"
 */
export function formatCount(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < COUNT_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}${unit === 0 ? "" : ` ${COUNT_UNITS[unit]}`}`;
}

const WHOLE = new Intl.NumberFormat("en");

/** A whole number with separators: 1,234,567. */
export const formatWhole = (count: number): string => WHOLE.format(count);

/** A shape as torch writes it: [32, 3, 8, 8]; [] for a scalar. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** A share of a whole, in percent: 12.3%, <0.1%. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0 || part === 0) return "0%";
  const percent = (100 * part) / whole;
  return percent < 0.1 ? "<0.1%" : `${percent.toFixed(percent >= 99.95 ? 0 : 1)}%`;
}

/** A time for people: 84 ms, 1.2 s. */
export const formatTime = (ms: number): string => (ms < 999.5 ? `${Math.max(1, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`);

/** The noun in the form that goes with a number: "1 tensor", "2 tensors". */
export const plural = (count: number, noun: string): string => `${formatWhole(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A real number with four significant digits: 0.01234, 1.5e-8, -3. */
export function formatNumber(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}
