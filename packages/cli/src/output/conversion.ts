import { CAST_DTYPES, type CastDType, type Checkpoint, formatSize, type TensorHandle } from "@ckptkit/core";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText, paceText, plural } from "./sizes.js";
import { pairsText } from "./table.js";
import { widthOf } from "./width.js";

/** A conversion that was done. */
export interface Conversion {
  checkpoint: Checkpoint;
  files: readonly { path: string; byteLength: number }[];
  /** The tensors that were written. */
  chosen: readonly TensorHandle[];
  /** Dropped name -> kept name. */
  ties: ReadonlyMap<string, string>;
  dtype: CastDType | undefined;
  ms: number;
}

/** Ties that are listed one by one. */
const TIES_LISTED = 4;

/** Tells what was written, and in what it differs from what was read. */
export function writeConversion({ checkpoint, files, chosen, ties, dtype, ms }: Conversion, screen: Screen): void {
  const { bold, dim } = screen.colors;
  const [first] = files;
  const bytes = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const what = files.length === 1 && first ? printable(first.path) : plural(files.length, "file");
  const pace = dim(`in ${paceText(bytes, ms)}`);
  screen.write(`wrote ${bold(what)}: ${plural(chosen.length, "tensor")}, ${formatSize(bytes)} ${pace}\n`);
  const notes: [string, string][] = [];
  if (files.length > 1) {
    const names = files.map(({ path }) => printable(path));
    const width = Math.max(...names.map(widthOf));
    for (const [index, { byteLength }] of files.entries()) {
      const name = names[index] ?? "";
      notes.push([index === 0 ? "files" : "", `${name}${" ".repeat(width - widthOf(name))}  ${formatSize(byteLength).padStart(8)}`]);
    }
  }
  notes.push(["from", `${printable(checkpoint.uri)} (${printable(checkpoint.format)}, ${checkpoint.layout})`]);
  const left = checkpoint.tensors.length - chosen.length;
  const others = checkpoint.tensors.filter(({ group }) => group !== "model").length;
  const why = left === others ? ` outside the model's weights: --all writes ${left === 1 ? "it" : "them"} too` : "";
  if (left > 0) notes.push(["left out", `${plural(left, "tensor")}${why}`]);
  for (const [from, count] of castCounts(chosen, dtype)) notes.push(["cast", `${from} to ${dtype}: ${plural(count, "tensor")}`]);
  if (ties.size > 0) {
    const listed = [...ties].slice(0, TIES_LISTED).map(([dropped, kept]) => `${printable(dropped)} = ${printable(kept)}`);
    const more = ties.size > TIES_LISTED ? `, and ${countText(ties.size - TIES_LISTED)} more` : "";
    notes.push(["tied", `${plural(ties.size, "tensor")} stored once: ${listed.join(", ")}${more}`]);
  }
  screen.write(pairsText(notes, screen, 2));
}

/** How many tensors of each dtype were cast. */
function castCounts(tensors: readonly TensorHandle[], to: CastDType | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  if (to === undefined) return counts;
  const castable: readonly string[] = CAST_DTYPES;
  for (const { dtype } of tensors) if (dtype !== to && castable.includes(dtype)) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  return counts;
}
