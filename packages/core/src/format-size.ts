const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * A number of bytes for people, with three significant digits and binary units.
 *
 * @example formatSize(1_572_864) // "1.50 MiB"
 */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}
