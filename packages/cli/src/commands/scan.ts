import type { KernelPool, Progress } from "@ckptkit/core";
import {
  checkFinite,
  type FiniteReport,
  type FiniteRow,
  type ScanReport,
  type ScanRow,
  scanCheckpoint,
  tensorsCsv,
} from "@ckptkit/inspect";
import { nodePlatform } from "@ckptkit/node";
import type { CommandContext, CommonFlags } from "../command-context.js";
import type { LimitFlags } from "../limit-option.js";
import { open } from "../open.js";
import { Batch } from "../output/batch.js";
import { EXIT } from "../output/errors.js";
import { hasErrors, warnOfFindings } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { printable } from "../output/printable.js";
import { showProgress } from "../output/progress.js";
import { countText, numberText, paceText, plural } from "../output/sizes.js";
import { tableText } from "../output/table.js";
import { poolFor } from "../threads.js";
import { Timings } from "../timings.js";
import type { WorkersFlags } from "../workers-option.js";

/** What `ckpt scan` takes. */
export interface ScanFlags extends CommonFlags, LimitFlags, WorkersFlags {
  csv?: boolean;
  finite?: boolean;
  filter?: string;
}

/** Looks at every number of a checkpoint: NaN, infinities, ranges. Exit code 1 when a NaN or Inf is found. */
export async function scan(uri: string, flags: ScanFlags, context: CommandContext): Promise<number> {
  const { err, out, signal } = context;
  const timings = new Timings();
  const { checkpoint } = await open(uri, context, flags.limit);
  timings.lap("open");
  let pool: KernelPool | undefined;
  try {
    const select = flags.filter === undefined ? undefined : (await import("../select.js")).selection(checkpoint, flags.filter);
    const [kernels, threads] = await Promise.all([nodePlatform().kernels(), poolFor(flags, checkpoint, select)]);
    pool = threads;
    timings.lap(`load ${kernels.name} kernels${pool ? ", start threads" : ""}`);
    const progress = showProgress(err);
    let bytes = 0;
    const onProgress = (now: Progress): void => {
      bytes = now.done;
      progress.onProgress?.(now);
    };
    const options = { kernels, pool, select, signal, onProgress };
    const scanning = flags.finite ? checkFinite(checkpoint, options) : scanCheckpoint(checkpoint, options);
    const report: ScanReport | FiniteReport = await scanning.finally(progress.stop);
    const ms = timings.lap(pool ? `scan with ${pool.size} threads` : "scan");
    const { totals } = report;
    const isClean = totals.nan + totals.posInf + totals.negInf === 0;
    process.exitCode = isClean && !hasErrors(checkpoint.findings) ? EXIT.good : EXIT.problem;
    if (flags.json) writeJson(out, { uri: checkpoint.uri, ...report, findings: checkpoint.findings });
    else if (flags.csv && isFull(report)) {
      const batch = new Batch(out);
      for (const record of tensorsCsv(checkpoint, { select, scan: report })) batch.add(record);
      batch.flush();
      warnOfFindings(checkpoint.findings, err, flags.verbose ?? false);
    } else {
      warnOfFindings(checkpoint.findings, err, flags.verbose ?? false);
      writeReport(checkpoint.uri, report, paceText(bytes, ms), context);
    }
    timings.lap("print");
    if (flags.verbose) timings.write(err);
    return process.exitCode;
  } finally {
    pool?.close();
    await checkpoint.close();
  }
}

const special = ({ nan, posInf, negInf }: FiniteRow): number => nan + posInf + negInf;
const isFull = (report: ScanReport | FiniteReport): report is ScanReport => "zeros" in report.totals;
/** Whether a row has statistics: all do, or none, after a look for NaN and infinities alone. */
const hasStatistics = (row: ScanRow | FiniteRow): row is ScanRow => "mean" in row;

function writeReport(uri: string, report: ScanReport | FiniteReport, pace: string, { out }: CommandContext): void {
  const { tensors, totals, skipped } = report;
  const { colors } = out;
  const bad = tensors.filter((row) => special(row) > 0);
  // What is finite has nothing to show then.
  const shown = isFull(report) ? [...bad, ...tensors.filter((row) => special(row) === 0)] : bad;
  const counted = `${plural(totals.tensors, "tensor")}, ${plural(totals.count, "number")}`;
  const verdict =
    bad.length === 0
      ? colors.green(`no NaN or Inf in ${counted}`)
      : colors.red(
          `NaN or Inf in ${countText(bad.length)} of ${counted}: ${countText(totals.nan)} NaN, ${countText(totals.posInf)} +Inf, ${countText(totals.negInf)} -Inf`,
        );
  out.write(`${colors.bold(printable(uri))}: ${verdict} ${colors.dim(`(${pace})`)}\n`);
  if (shown.length > 0) {
    const rows = shown.map((row) => ({
      cells: [
        printable(row.path) || '""',
        printable(row.dtype),
        countText(row.count),
        ...[row.nan, row.posInf, row.negInf].map((count) => (bad.length === 0 ? "" : count === 0 ? "-" : countText(count))),
        ...(hasStatistics(row) ? [countText(row.zeros), ...[row.min, row.max, row.mean, row.std].map(numberText)] : []),
      ],
      ...(special(row) > 0 && { style: colors.red }),
    }));
    const right = (title: string, expendable?: number) => ({ title, align: "right" as const, ...(expendable && { expendable }) });
    const columns = [
      { title: "path", elastic: true },
      { title: "dtype", style: colors.cyan, expendable: 2 },
      right("numbers", 1),
      right("NaN"),
      right("+Inf"),
      right("-Inf"),
      ...(isFull(report) ? [right("zeros", 5), right("min"), right("max"), right("mean", 3), right("std", 4)] : []),
    ];
    out.write(`\n${tableText(columns, rows, out, 2)}`);
  }
  if (skipped.length > 0) {
    const rows = skipped.map(({ path, dtype, reason }) => ({ cells: [printable(path) || '""', printable(dtype), printable(reason)] }));
    out.write(`\n${colors.yellow(`${plural(skipped.length, "tensor")} not scanned`)}\n`);
    out.write(tableText([{ title: "path", elastic: true }, { title: "dtype" }, { title: "why" }], rows, out, 2));
  }
}
