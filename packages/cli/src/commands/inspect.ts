import type { Checkpoint, TensorSpec } from "@ckptkit/core";
import { describeCheckpoint, type InspectReport } from "@ckptkit/inspect";
import type { CommandContext, CommonFlags } from "../command-context.js";
import type { LimitFlags } from "../limit-option.js";
import { type Opened, open } from "../open.js";
import { EXIT } from "../output/errors.js";
import { findingsText, hasErrors } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { metadataText } from "../output/metadata.js";
import { writeOverview } from "../output/overview.js";
import { writeTensorList } from "../output/tensor-list.js";
import { Timings } from "../timings.js";

/** What `ckpt inspect` takes. */
export interface InspectFlags extends CommonFlags, LimitFlags {
  tree?: boolean;
  summary?: boolean;
  modules?: boolean;
  depth?: number;
  csv?: boolean;
  markdown?: boolean;
  filter?: string;
}

/** Tells what a checkpoint holds, from its description alone. */
export async function inspect(uri: string, flags: InspectFlags, context: CommandContext): Promise<number> {
  const { out, err } = context;
  const timings = new Timings();
  const opened = await open(uri, context, flags.limit);
  const { checkpoint } = opened;
  timings.lap("open");
  try {
    const select = flags.filter === undefined ? undefined : (await import("../select.js")).selection(checkpoint, flags.filter);
    process.exitCode = hasErrors(checkpoint.findings) ? EXIT.problem : EXIT.good;
    if (flags.summary || flags.modules || flags.csv || flags.markdown || flags.depth !== undefined) {
      const { writeView } = await import("./inspect-views.js");
      writeView(select ? { ...checkpoint, tensors: checkpoint.tensors.filter(select) } : checkpoint, flags, context);
    } else if (flags.tree)
      await writeTreeView(checkpoint, select && new Set(checkpoint.tensors.filter(select).map(({ spec }) => spec)), flags, context);
    else {
      const report = describeCheckpoint(checkpoint);
      if (select) report.tensors = report.tensors.filter((_, index) => checkpoint.tensors[index] && select(checkpoint.tensors[index]));
      if (flags.json) writeJson(out, { ...report, io: opened.counts() });
      else writeReport(report, opened, select !== undefined, context, flags.verbose ?? false);
    }
    timings.lap("print");
    if (flags.verbose) timings.write(err);
    return process.exitCode;
  } finally {
    await checkpoint.close();
  }
}

function writeReport(report: InspectReport, opened: Opened, isFiltered: boolean, { out }: CommandContext, verbose: boolean): void {
  const { bold } = out.colors;
  writeOverview(opened, out);
  const metadata = metadataText(report.metadata, out, 2);
  if (metadata) out.write(`\n${bold("metadata")}\n${metadata}`);
  writeTensorList(report.tensors, isFiltered ? opened.checkpoint.tensors.length : undefined, out);
  if (report.findings.length > 0) out.write(`\n${bold("findings")}\n${findingsText(report.findings, out, verbose)}`);
}

async function writeTreeView(
  checkpoint: Checkpoint,
  tensors: ReadonlySet<TensorSpec> | undefined,
  flags: InspectFlags,
  { out, err }: CommandContext,
): Promise<void> {
  const [{ writeTree }, { warnOfFindings }] = await Promise.all([import("../output/tree.js"), import("../output/findings.js")]);
  writeTree(checkpoint.tree, checkpoint.uri, out, { verbose: flags.verbose ?? false, tensors });
  warnOfFindings(checkpoint.findings, err, flags.verbose ?? false);
}
