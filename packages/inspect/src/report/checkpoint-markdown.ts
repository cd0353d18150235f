import { type Checkpoint, formatSize, type Json } from "@ckptkit/core";
import type { ScanReport, ScanRow } from "../scan.js";
import { type CheckpointSummary, summarizeCheckpoint } from "../summary/summarize.js";
import { type Cell, markdownTable, markdownText } from "./markdown-table.js";

/** What stands in a report. */
export interface CheckpointMarkdownOptions {
  /** Adds a section on NaN, infinities and ranges. */
  scan?: ScanReport | undefined;
  /** Tensors that are listed; 1000 when left out. */
  mostTensors?: number | undefined;
}

const MOST_TENSORS = 1000;
const MOST_FINDINGS = 200;
const MOST_VALUES = 100;
const CELL_CHARACTERS = 200;

/**
 * A report on a checkpoint for people, in Markdown: what it is, sums, training, memory, findings, and a scan where one is given.
 * Reads nothing.
 *
 * @example const report = checkpointMarkdown(checkpoint, { scan: await scanCheckpoint(checkpoint, { kernels }) });
 */
export function checkpointMarkdown(checkpoint: Checkpoint, { scan, mostTensors = MOST_TENSORS }: CheckpointMarkdownOptions = {}): string {
  const summary = summarizeCheckpoint(checkpoint);
  const { tensors } = checkpoint;
  const rows = tensors
    .slice(0, mostTensors)
    .map(({ path, dtype, shape, byteLength }): Cell[] => [path, dtype, `[${shape.join(", ")}]`, byteLength]);
  const blocks = [
    `# ${markdownText(checkpoint.uri)}`,
    overview(summary),
    ...sums(summary),
    ...training(summary),
    ...memory(summary),
    ...findings(checkpoint),
    ...(scan ? scanned(scan) : []),
    ...metadata(checkpoint.metadata),
    "## Tensors",
    markdownTable(["path", "dtype", "shape", "bytes"], rows),
    ...more(tensors.length - rows.length, "tensors"),
  ];
  return `${blocks.join("\n\n")}\n`;
}

const more = (count: number, what: string): string[] => (count > 0 ? [`... and ${count} more ${what}.`] : []);
const shown = (value: Json): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= CELL_CHARACTERS ? text : `${text.slice(0, CELL_CHARACTERS)}...`;
};

function overview({ format, layout, byteLength, producers, byteOrder, tensors }: CheckpointSummary): string {
  return markdownTable(
    ["", ""],
    [
      ["format", format],
      ["layout", layout],
      ["size", `${formatSize(byteLength)} (${byteLength} bytes)`],
      ...(producers.length > 0
        ? [["made by", producers.map(({ name, version }) => (version ? `${name} ${version}` : name)).join(", ")]]
        : []),
      ...(byteOrder && byteOrder !== "little" ? [["byte order", byteOrder]] : []),
      ["tensors", tensors.tensors],
      ["parameters", tensors.parameters],
    ],
  );
}

function sums({ tensors, storages }: CheckpointSummary): string[] {
  const rows = tensors.byGroup.flatMap(({ group, dtypes }) =>
    dtypes.map(({ dtype, tensors: count, parameters, byteLength }): Cell[] => [group, dtype, count, parameters, byteLength]),
  );
  const notes = [
    ...(tensors.ties.length > 0 ? [`Tied tensors, which count once in parameters and bytes: ${tensors.ties.length} groups.`] : []),
    ...(storages.unusedBytes > 0 ? [`${formatSize(storages.unusedBytes)} of the storages are shown by no tensor.`] : []),
  ];
  return rows.length === 0 ? [] : ["## Sizes", markdownTable(["group", "dtype", "tensors", "parameters", "bytes"], rows), ...notes];
}

function training({ training: state }: CheckpointSummary): string[] {
  const rows: Cell[][] = [];
  if (state.epoch !== undefined) rows.push(["epoch", state.epoch]);
  if (state.globalStep !== undefined) rows.push(["global step", state.globalStep]);
  for (const { path, looksLike, groups, tensors } of state.optimizers) {
    const rates = groups.flatMap(({ lr }) => (lr === undefined ? [] : [lr])).join(", ");
    rows.push([
      `optimizer ${path}`,
      `${looksLike ?? "of a kind that is not known"}; learning rate ${rates || "not recorded"}; ${tensors} tensors`,
    ]);
  }
  for (const { path, looksLike } of state.schedulers) rows.push([`scheduler ${path}`, looksLike ?? "of a kind that is not known"]);
  for (const { name } of state.callbacks) rows.push(["callback", name]);
  return rows.length === 0 ? [] : ["## Training", markdownTable(["", ""], rows)];
}

function memory({ memory: need, tensors }: CheckpointSummary): string[] {
  if (!tensors.byGroup.some(({ group }) => group === "model")) return [];
  const { F32, BF16, I8 } = need.inferenceBytesAs;
  const rows = [
    ["inference, as stored", formatSize(need.inferenceBytes)],
    ["inference, F32", formatSize(F32)],
    ["inference, BF16 or F16", formatSize(BF16)],
    ["inference, I8", formatSize(I8)],
    ["training with Adam", formatSize(need.adamTrainingBytes)],
  ];
  return ["## Memory", markdownTable(["", ""], rows), need.assumptions.map((sentence) => `- ${sentence}`).join("\n")];
}

function findings({ findings: all }: Checkpoint): string[] {
  if (all.length === 0) return ["## Findings", "None."];
  const rows = all.slice(0, MOST_FINDINGS).map(({ severity, rule, message, at }): Cell[] => [severity, rule, message, at ?? null]);
  return ["## Findings", markdownTable(["severity", "rule", "message", "at"], rows), ...more(all.length - rows.length, "findings")];
}

function scanned({ tensors, totals, skipped }: ScanReport): string[] {
  const special = ({ nan, posInf, negInf }: ScanRow): boolean => nan + posInf + negInf > 0;
  const bad = tensors.filter(special);
  const verdict =
    bad.length === 0
      ? `No NaN or Inf in ${totals.tensors} tensors, ${totals.count} numbers.`
      : `NaN or Inf in ${bad.length} of ${totals.tensors} tensors: ${totals.nan} NaN, ${totals.posInf} +Inf, ${totals.negInf} -Inf.`;
  const rows = bad.slice(0, MOST_FINDINGS).map((row): Cell[] => [row.path, row.nan, row.posInf, row.negInf, row.count]);
  return [
    "## Scan",
    verdict,
    ...(rows.length > 0 ? [markdownTable(["path", "NaN", "+Inf", "-Inf", "numbers"], rows)] : []),
    ...more(bad.length - rows.length, "such tensors"),
    ...(skipped.length > 0 ? [`${skipped.length} tensors were not scanned.`] : []),
  ];
}

function metadata(values: Checkpoint["metadata"]): string[] {
  const entries = Object.entries(values);
  const rows = entries.slice(0, MOST_VALUES).map(([name, value]): Cell[] => [name, shown(value)]);
  return rows.length === 0 ? [] : ["## Metadata", markdownTable(["name", "value"], rows), ...more(entries.length - rows.length, "values")];
}
