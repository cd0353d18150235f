import { formatSize } from "@ckptkit/core";
import type { CheckpointSummary } from "@ckptkit/inspect";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText, numberText, plural } from "./sizes.js";
import { pairsText, tableText } from "./table.js";
import { cutEnd } from "./width.js";

type Pair = [name: string, value: string];

/** Ties and storages that are listed without --verbose. */
const SHOWN = 5;
/** Columns that a list of tied names gets at least, and those beside it. */
const MIN_TIE_COLUMNS = 40;
const MARGIN = 16;

/** Writes what a checkpoint amounts to. */
export function writeSummary(summary: CheckpointSummary, screen: Screen, verbose: boolean): void {
  const { bold } = screen.colors;
  const section = (title: string, text: string): void => {
    if (text !== "") screen.write(`\n${bold(title)}\n${text}`);
  };
  screen.write(`${bold(printable(summary.uri))}\n${pairsText(head(summary), screen, 2)}`);
  section("sizes", sizes(summary, screen));
  section("storages", pairsText(storages(summary, screen, verbose), screen, 2));
  section("training", pairsText(training(summary), screen, 2));
  section("memory", memory(summary, screen));
  section("largest tensors", largest(summary, screen));
  section("findings", findings(summary, screen));
}

function head({ format, layout, byteLength, producers, byteOrder, tensors }: CheckpointSummary): Pair[] {
  const makers = producers.map(({ name, version }) => (version === undefined ? name : `${name} ${version}`)).join(", ");
  return [
    ["format", printable(format)],
    ["layout", layout],
    ...(makers === "" ? [] : [["made by", printable(makers)] as Pair]), // a tuple, which TypeScript takes for a list
    ["size", `${formatSize(byteLength)} (${plural(byteLength, "byte")})`],
    ...(byteOrder === undefined || byteOrder === "little" ? [] : [["byte order", byteOrder] as Pair]),
    ["tensors", countText(tensors.tensors)],
    ["parameters", `${countText(tensors.parameters)}, ${formatSize(tensors.byteLength)}`],
  ];
}

function sizes({ tensors }: CheckpointSummary, screen: Screen): string {
  const right = (title: string) => ({ title, align: "right" as const });
  const rows = tensors.byGroup.flatMap(({ group, dtypes }) =>
    dtypes.map(({ dtype, tensors: count, parameters, byteLength }) => ({
      cells: [group, printable(dtype), countText(count), countText(parameters), formatSize(byteLength)],
    })),
  );
  if (rows.length === 0) return "";
  return tableText([{ title: "group" }, { title: "dtype" }, right("tensors"), right("parameters"), right("memory")], rows, screen, 2);
}

function storages({ storages: use, tensors }: CheckpointSummary, screen: Screen, verbose: boolean): Pair[] {
  const most = verbose ? Number.POSITIVE_INFINITY : SHOWN;
  const pairs: Pair[] = [["in the file", `${plural(use.count, "storage")}, ${formatSize(use.byteLength)}`]];
  if (use.unusedBytes > 0) {
    pairs.push(["unused", `${formatSize(use.unusedBytes)}: views were saved with the whole of larger tensors`]);
    for (const { path, byteLength, unusedBytes } of use.unused.slice(0, most)) {
      pairs.push(["", `${printable(path)} leaves ${formatSize(unusedBytes)} of ${formatSize(byteLength)}`]);
    }
  }
  for (const [index, paths] of tensors.ties.slice(0, most).entries()) {
    pairs.push([index === 0 ? "tied" : "", cutEnd(paths.map(printable).join(" = "), Math.max(MIN_TIE_COLUMNS, screen.width - MARGIN))]);
  }
  if (tensors.ties.length > most) pairs.push(["", `... and ${countText(tensors.ties.length - most)} more: --verbose shows all`]);
  return use.count === 0 ? [] : pairs;
}

function training({ training: state }: CheckpointSummary): Pair[] {
  const pairs: Pair[] = [];
  if (state.epoch !== undefined) pairs.push(["epoch", countText(state.epoch)]);
  if (state.globalStep !== undefined) pairs.push(["global step", countText(state.globalStep)]);
  for (const { looksLike, groups, tensors, byteLength, steps } of state.optimizers) {
    const rates = groups.flatMap(({ lr }) => (lr === undefined ? [] : [numberText(lr)]));
    const parts = [
      looksLike ?? "of a kind that is not known",
      plural(groups.length, "parameter group"),
      ...(rates.length > 0 ? [`learning rate ${[...new Set(rates)].slice(0, SHOWN).join(", ")}`] : []),
      ...(steps === undefined ? [] : [plural(steps, "step")]),
      `${plural(tensors, "tensor")} of state, ${formatSize(byteLength)}`,
    ];
    pairs.push(["optimizer", parts.join(", ")]);
  }
  for (const { path, looksLike } of state.schedulers) pairs.push(["scheduler", looksLike ?? printable(path)]);
  for (const { name } of state.callbacks) pairs.push(["callback", printable(name)]);
  if (state.loops.length > 0) pairs.push(["loops", state.loops.map(printable).join(", ")]);
  return pairs;
}

function memory({ memory: need, tensors }: CheckpointSummary, screen: Screen): string {
  if (!tensors.byGroup.some(({ group }) => group === "model")) return "";
  const { F32, BF16, I8 } = need.inferenceBytesAs;
  const { weights, gradients, moments } = need.adamTraining;
  const parts = `weights ${formatSize(weights)}, gradients ${formatSize(gradients)}, moments ${formatSize(moments)}`;
  const pairs: Pair[] = [
    [
      "inference",
      `${formatSize(need.inferenceBytes)} as stored; F32 ${formatSize(F32)}, BF16 or F16 ${formatSize(BF16)}, I8 ${formatSize(I8)}`,
    ],
    ["training with Adam", `${formatSize(need.adamTrainingBytes)}: ${parts}`],
  ];
  return `${pairsText(pairs, screen, 2)}  ${screen.colors.dim("the model's weights alone, tied ones once, all trained in F32; activations come on top")}\n`;
}

function largest({ tensors }: CheckpointSummary, screen: Screen): string {
  const rows = tensors.largest.map(({ path, dtype, shape, byteLength }) => ({
    cells: [printable(path) || '""', printable(dtype), `[${shape.join(", ")}]`, formatSize(byteLength)],
  }));
  if (rows.length === 0) return "";
  const columns = [{ title: "path", elastic: true }, { title: "dtype" }, { title: "shape" }, { title: "size", align: "right" as const }];
  return tableText(columns, rows, screen, 2);
}

function findings({ findings: counts }: CheckpointSummary, screen: Screen): string {
  if (counts.total === 0) return `  ${screen.colors.green("none")}\n`;
  return pairsText(
    counts.byRule.map(
      ({ rule, severity, count }): Pair => [severity, `${printable(rule)}${count > 1 ? `, ${countText(count)} times` : ""}`],
    ),
    screen,
    2,
  );
}
