/** Blocks that fill 0 to 8 eighths of a column from the left. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/** Blocks that fill 1 to 8 eighths of a line from below. */
const HEIGHTS = "▁▂▃▄▅▆▇█";

/** A bar of up to `columns` columns, in eighths of one; what is not 0 shows. */
export function barText(part: number, columns: number): string {
  const eighths = part > 0 ? Math.max(1, Math.round(part * columns * 8)) : 0;
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

/** One character a number, as high as its part of the largest; what is not 0 shows. */
export function sparkText(numbers: readonly number[]): string {
  const largest = Math.max(0, ...numbers);
  return numbers.map((number) => (number > 0 ? (HEIGHTS[Math.min(7, Math.floor((number / largest) * 8))] ?? "") : " ")).join("");
}
