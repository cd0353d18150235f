import type { ComparedTensor, Comparison, LoneTensor } from "@ckptkit/inspect";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText, numberText, plural } from "./sizes.js";
import { tableText } from "./table.js";

/** Rows of each list that are shown without --verbose. */
const SHOWN = 20;

/** The two addresses that were compared. */
export interface ComparedUris {
  readonly a: string;
  readonly b: string;
}

/** Writes how two checkpoints differ, the largest differences first. */
export function writeComparison(found: Comparison, { a, b }: ComparedUris, screen: Screen, verbose: boolean): void {
  const { colors } = screen;
  const most = verbose ? Number.POSITIVE_INFINITY : SHOWN;
  screen.write(`${colors.bold("a")}  ${printable(a)}\n${colors.bold("b")}  ${printable(b)}\n${verdictText(found, screen)}\n`);
  for (const note of notes(found)) screen.write(`  ${colors.dim(note)}\n`);
  writeChanged(found.changed, screen, most);
  writeLone("only in a", found.removed, screen, most);
  writeLone("only in b", found.added, screen, most);
  if (found.prefix) {
    const { side, prefix, matches } = found.prefix;
    screen.write(
      `\n${colors.cyan("try:")} --strip-prefix ${printable(prefix)}  ${colors.dim(`(${plural(matches, "name")} of ${side} would match)`)}\n`,
    );
  }
}

function verdictText({ verdict, changed, added, removed, same, totals, values, tolerance }: Comparison, { colors }: Screen): string {
  const close = tolerance.abs + tolerance.rel > 0 ? "values within the tolerance" : "the same values";
  const what = values ? close : "the same dtypes and shapes (values were not compared)";
  if (verdict === "same") return colors.green(`same: ${plural(same, "tensor")} with ${what}`);
  const parts = [
    `${countText(changed.length)} of ${plural(totals.tensors, "tensor")} changed`,
    ...(removed.length > 0 ? [`${countText(removed.length)} only in a`] : []),
    ...(added.length > 0 ? [`${countText(added.length)} only in b`] : []),
  ];
  return colors.red(`different: ${parts.join(", ")}`);
}

function notes({ matchedBy, aside, ties, metadata }: Comparison): string[] {
  const lines: string[] = [];
  if (matchedBy === "name") {
    const left = aside.a + aside.b;
    lines.push(`matched by name${left > 0 ? `; ${plural(left, "tensor")} outside the model left aside` : ""}`);
  }
  if (ties.length > 0) lines.push(`${plural(ties.length, "tied name")} stored once on the other side`);
  if (metadata.length > 0) lines.push(`metadata differs at ${plural(metadata.length, "place")}, which does not count: --json lists them`);
  return lines;
}

/** Other shapes first, then other values and dtypes by the largest relative distance. */
function writeChanged(changed: readonly ComparedTensor[], screen: Screen, most: number): void {
  if (changed.length === 0) return;
  const { bold, dim } = screen.colors;
  const weight = ({ what, difference }: ComparedTensor): number => {
    if (what === "shape" || !difference) return Number.POSITIVE_INFINITY;
    return difference.nanMismatch + difference.infMismatch > 0 ? Number.MAX_VALUE : (difference.maxRel ?? 0);
  };
  const sorted = [...changed].sort((one, two) => (weight(two) === weight(one) ? 0 : weight(two) - weight(one)));
  const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;
  const rows = sorted.slice(0, most).map(({ path, what, dtypes, shapes, difference }) => ({
    cells: [
      printable(path) || '""',
      what,
      what === "shape"
        ? `${shapeText(shapes[0])} to ${shapeText(shapes[1])}`
        : dtypes[0] === dtypes[1]
          ? printable(dtypes[0])
          : dtypes.map(printable).join(" to "),
      ...(difference
        ? [
            numberText(difference.maxAbs),
            numberText(difference.maxRel),
            numberText(difference.meanAbs),
            difference.cosine === null ? "" : difference.cosine.toFixed(6),
            `${((100 * difference.equal) / Math.max(1, difference.count)).toFixed(1)}%`,
            difference.nanMismatch + difference.infMismatch === 0 ? "" : countText(difference.nanMismatch + difference.infMismatch),
          ]
        : []),
    ],
  }));
  const right = (title: string, expendable?: number) => ({ title, align: "right" as const, ...(expendable && { expendable }) });
  const columns = [
    { title: "path", elastic: true },
    { title: "what" },
    { title: "dtype or shape", expendable: 1 },
    right("max |a-b|"),
    right("max rel"),
    right("mean |a-b|", 3),
    right("cosine", 2),
    right("equal", 4),
    right("NaN or Inf", 5),
  ];
  screen.write(`\n${bold("changed")}\n${tableText(columns, rows, screen, 2)}`);
  if (sorted.length > most) screen.write(dim(`  ... and ${countText(sorted.length - most)} more: --verbose shows all\n`));
}

function writeLone(title: string, tensors: readonly LoneTensor[], screen: Screen, most: number): void {
  if (tensors.length === 0) return;
  const rows = tensors
    .slice(0, most)
    .map(({ path, dtype, shape }) => ({ cells: [printable(path) || '""', printable(dtype), `[${shape.join(", ")}]`] }));
  screen.write(
    `\n${screen.colors.bold(title)}\n${tableText([{ title: "path", elastic: true }, { title: "dtype" }, { title: "shape" }], rows, screen, 2)}`,
  );
  if (tensors.length > most) screen.write(screen.colors.dim(`  ... and ${countText(tensors.length - most)} more: --verbose shows all\n`));
}
