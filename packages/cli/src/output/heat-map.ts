import { formatSize } from "@ckptkit/core";
import type { TensorSlice } from "@ckptkit/inspect";
import type { Screen } from "./screen.js";
import { countText, numberText } from "./sizes.js";

/** From nothing to the largest magnitude. */
const SHADES = [" ", "░", "▒", "▓", "█"];

/** Writes a plane of a tensor as shades of magnitude: negative numbers red, positive ones blue, where there is colour. */
export function writeHeatMap(slice: TensorSlice, screen: Screen): void {
  const {
    rows,
    columns,
    values,
    rowAxis,
    columnAxis,
    rowRange,
    columnRange,
    fixed,
    nan,
    posInf,
    negInf,
    min,
    max,
    reduce,
    sampled,
    bytesRead,
  } = slice;
  const { colors } = screen;
  const axis = (name: number | null, [from, to]: readonly [number, number]): string =>
    name === null ? "one" : `axis ${name} from ${from} to ${to}`;
  const others = fixed.flatMap((place, each) => (each === rowAxis || each === columnAxis ? [] : [`${place} of axis ${each}`]));
  const where = others.length > 0 ? `, at ${others.join(", ")}` : "";
  screen.write(`\n${colors.bold("slice")} ${axis(rowAxis, rowRange)} down, ${axis(columnAxis, columnRange)} right${where}\n`);
  const largest = Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0)) || 1;
  for (let row = 0; row < rows; row++) {
    let line = "";
    for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column] ?? 0;
      if (!Number.isFinite(value)) line += colors.yellow("!");
      else {
        const shade = SHADES[value === 0 ? 0 : Math.min(4, 1 + Math.floor((Math.abs(value) / largest) * 4))] ?? "█";
        line += shade === " " ? shade : value < 0 ? colors.red(shade) : colors.blue(shade);
      }
    }
    screen.write(`  │${line}│\n`);
  }
  const special = nan + posInf + negInf;
  const notes = [
    `${countText(rows)} x ${countText(columns)} by ${reduce}`,
    min === null ? "no finite numbers" : `${numberText(min)} to ${numberText(max)}`,
    ...(special > 0 ? [colors.yellow(`! ${countText(nan)} NaN, ${countText(posInf + negInf)} Inf`)] : []),
    `read ${formatSize(bytesRead)}${sampled ? ", a sample" : ""}`,
  ];
  screen.write(`  ${colors.dim(notes.join("; "))}\n`);
}
