import { basename, dirname, join } from "node:path";
import { CheckpointConfigError, formatSize } from "@ckptkit/core";
import { isComplete, type LostTensor, type RepairReport, type RepairTarget, repairCheckpoint } from "@ckptkit/inspect/repair";
import { nodePlatform } from "@ckptkit/node";
import type { CommandContext, CommonFlags } from "../command-context.js";
import { outputsBeside, pathOf } from "../destination.js";
import type { LimitFlags } from "../limit-option.js";
import { checkUri } from "../open.js";
import { EXIT } from "../output/errors.js";
import { findingsText } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { printable } from "../output/printable.js";
import { showProgress } from "../output/progress.js";
import type { Screen } from "../output/screen.js";
import { countText, paceText, plural } from "../output/sizes.js";
import { tableText } from "../output/table.js";
import { Timings } from "../timings.js";

/** What `ckpt repair` takes. */
export interface RepairFlags extends CommonFlags, LimitFlags {
  force?: boolean;
}

/** Lost tensors that are listed without --verbose. */
const LOST_LISTED = 20;

/** Saves what is whole in a damaged file. Exit code 1 when something was lost. */
export async function repair(uri: string, out: string, flags: RepairFlags, context: CommandContext): Promise<number> {
  const { err, signal } = context;
  checkUri(uri);
  const path = pathOf(out);
  const to = targetOf(path);
  const timings = new Timings();
  const platform = nodePlatform({ sink: { overwrite: flags.force ?? false } });
  const [source, kernels] = await Promise.all([platform.open(uri, { signal }), platform.kernels()]);
  timings.lap("open");
  const progress = showProgress(err);
  try {
    const create = outputsBeside(path, platform, [source]);
    const options = { kernels, fileName: basename(path), to, limits: flags.limit, signal, onProgress: progress.onProgress };
    const report = await repairCheckpoint(source, create, options).finally(progress.stop);
    const ms = timings.lap("repair");
    const files = report.files.map(({ name, byteLength }) => ({ path: join(dirname(path), name), byteLength }));
    if (flags.json) {
      const { format, saved, unchecked, lost, findings } = report;
      writeJson(context.out, {
        uri: source.name,
        format,
        to,
        files,
        saved,
        unchecked,
        lost,
        ties: Object.fromEntries(report.ties),
        findings,
      });
    } else writeReport(report, files, ms, context.out, flags.verbose ?? false);
    if (flags.verbose) timings.write(err);
    return isComplete(report) ? EXIT.good : EXIT.problem;
  } finally {
    await source.close?.();
  }
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT when the suffix says nothing */
function targetOf(path: string): RepairTarget {
  if (/\.safetensors$/i.test(path)) return "safetensors";
  if (/\.(?:pt|pth|bin|ckpt)$/i.test(path)) return "torch";
  throw new CheckpointConfigError("INVALID_ARGUMENT", `The name ${path} does not say what to write.`, {
    details: { out: path },
    suggestions: ["End the name in .safetensors, or in .pt, .pth, .bin or .ckpt for a torch archive that is arranged as the damaged one."],
  });
}

function writeReport(
  { saved, unchecked, lost, findings }: RepairReport,
  files: readonly { path: string; byteLength: number }[],
  ms: number,
  screen: Screen,
  verbose: boolean,
): void {
  const { bold, dim, green, red } = screen.colors;
  const [file] = files;
  const bytes = file?.byteLength ?? 0;
  const all = saved + lost.length;
  const verdict =
    lost.length === 0 ? green(`all ${plural(saved, "tensor")} saved`) : red(`${countText(saved)} of ${plural(all, "tensor")} saved`);
  screen.write(`wrote ${bold(printable(file?.path ?? ""))}: ${verdict}, ${formatSize(bytes)} ${dim(`in ${paceText(bytes, ms)}`)}\n`);
  if (unchecked > 0) {
    screen.write(
      `  ${dim(`The file has no checksums for ${plural(unchecked, "saved tensor")}: whether their bytes were overwritten cannot be told.`)}\n`,
    );
  }
  if (lost.length > 0 && !lost.some(({ group }) => group === "model")) screen.write(`  ${green("None of the model's weights is lost.")}\n`);
  if (lost.length > 0) writeLost(lost, screen, verbose);
  const shown = verbose ? findings : findings.filter(({ severity }) => severity !== "info");
  if (shown.length > 0) screen.write(`\n${bold("findings")}\n${findingsText(shown, screen, verbose)}`);
}

function writeLost(lost: readonly LostTensor[], screen: Screen, verbose: boolean): void {
  const shown = verbose ? lost : lost.slice(0, LOST_LISTED);
  const rows = shown.map(({ path, dtype, shape, byteLength, reason }) => ({
    cells: [printable(path) || '""', printable(dtype), `[${shape.join(", ")}]`, formatSize(byteLength), reason],
  }));
  const columns = [
    { title: "path", elastic: true },
    { title: "dtype", style: screen.colors.cyan, expendable: 2 },
    { title: "shape", expendable: 1 },
    { title: "size", align: "right" as const },
    { title: "why", style: screen.colors.red },
  ];
  screen.write(`\n${screen.colors.bold("lost")}\n${tableText(columns, rows, screen, 2)}`);
  if (shown.length < lost.length) screen.write(`  ... and ${countText(lost.length - shown.length)} more: --verbose shows all\n`);
  const reasons = new Map(lost.map(({ reason, message }) => [reason, message]));
  for (const [reason, message] of reasons) screen.write(`  ${screen.colors.dim(`${reason}, for instance: ${printable(message)}`)}\n`);
}
