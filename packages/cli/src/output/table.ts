import type { Screen } from "./screen.js";
import { cutMiddle, widthOf } from "./width.js";

type Style = (text: string) => string;

/** One column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be left out where room is short: the highest number goes first. */
  readonly expendable?: number;
  /**
   * Is as wide as most of its cells need. Those that are much longer are cut in their middle on a terminal, and stand in full in
   * files and pipes, out of line.
   */
  readonly elastic?: boolean;
  readonly style?: Style;
}

/** One row: a printable text for every column. */
export interface Row {
  readonly cells: readonly string[];
  readonly style?: Style;
}

const GAP = "  ";
const MIN_ELASTIC_WIDTH = 24;
/** An elastic column may always be this wide; wider, up to the second width, if more than a tenth of its cells are. */
const USUAL_WIDTH = 48;
const MAX_USUAL_WIDTH = 100;

/**
 * Lays out rows under their titles, as wide as the screen allows. A column in which nothing stands is left out.
 *
 * @param indent columns to leave free on the left
 */
export function tableText(columns: readonly Column[], rows: readonly Row[], screen: Screen, indent = 0): string {
  const widths = columns.map(({ title, elastic }, index) => {
    const cells = rows.map((row) => widthOf(row.cells[index] ?? "")).sort((a, b) => a - b);
    const widest = cells.at(-1) ?? 0;
    const usual = Math.min(MAX_USUAL_WIDTH, Math.max(USUAL_WIDTH, cells[Math.floor((cells.length - 1) * 0.9)] ?? 0));
    return widest === 0 ? 0 : Math.max(elastic ? Math.min(widest, usual) : widest, widthOf(title));
  });
  const shown = new Set(columns.keys());
  for (const [index, width] of widths.entries()) if (width === 0) shown.delete(index);
  fit(columns, widths, shown, screen.width - indent);
  const { dim } = screen.colors;
  const margin = " ".repeat(indent);
  const last = [...shown].at(-1);
  const line = (cells: readonly string[], style: Style | undefined, isHead: boolean): string => {
    const parts: string[] = [];
    for (const index of shown) {
      const { align, elastic, style: own } = columns[index] ?? { title: "" };
      const width = widths[index] ?? 0;
      const whole = cells[index] ?? "";
      const text = elastic && screen.width < Number.POSITIVE_INFINITY ? cutMiddle(whole, width) : whole;
      const space = " ".repeat(Math.max(0, width - widthOf(text)));
      const styled = isHead ? dim(text) : own && !style ? own(text) : text;
      parts.push(align === "right" ? space + styled : index === last ? styled : styled + space);
    }
    const joined = parts.join(GAP).trimEnd();
    return `${margin}${style ? style(joined) : joined}\n`;
  };
  let text = line(
    columns.map(({ title }) => title),
    undefined,
    true,
  );
  for (const { cells, style } of rows) text += line(cells, style, false);
  return text;
}

/** Leaves out expendable columns, then narrows elastic ones, until the rows fit. */
function fit(columns: readonly Column[], widths: number[], shown: Set<number>, width: number): void {
  const total = (): number => [...shown].reduce((sum, index) => sum + (widths[index] ?? 0) + GAP.length, -GAP.length);
  const spareable = (): number => {
    const elastic = [...shown].filter((index) => columns[index]?.elastic);
    return elastic.reduce((sum, index) => sum + Math.max(0, (widths[index] ?? 0) - MIN_ELASTIC_WIDTH), 0);
  };
  const expendable = [...shown].filter((index) => columns[index]?.expendable !== undefined);
  expendable.sort((a, b) => (columns[b]?.expendable ?? 0) - (columns[a]?.expendable ?? 0));
  for (const index of expendable) {
    if (total() - spareable() <= width) break;
    shown.delete(index);
  }
  for (const index of shown) {
    if (!columns[index]?.elastic) continue;
    const excess = Math.max(0, total() - width);
    widths[index] = Math.max(Math.min(MIN_ELASTIC_WIDTH, widths[index] ?? 0), (widths[index] ?? 0) - excess);
  }
}

/** Lays out names and values in two columns. */
export function pairsText(pairs: readonly (readonly [name: string, value: string])[], screen: Screen, indent = 0): string {
  const width = Math.max(0, ...pairs.map(([name]) => widthOf(name)));
  const margin = " ".repeat(indent);
  return pairs
    .map(([name, value]) => `${margin}${screen.colors.dim(name)}${" ".repeat(width - widthOf(name))}${GAP}${value}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}
