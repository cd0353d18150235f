import { type Checkpoint, CheckpointConfigError } from "@ckptkit/core";
import { checkpointMarkdown, moduleTree, summarizeCheckpoint, tensorsCsv } from "@ckptkit/inspect";
import type { CommandContext } from "../command-context.js";
import { Batch } from "../output/batch.js";
import { warnOfFindings } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { writeModules } from "../output/modules.js";
import { printable } from "../output/printable.js";
import { writeSummary } from "../output/summary.js";
import type { InspectFlags } from "./inspect.js";

/** Writes one of the other views of `ckpt inspect`: summary, modules, CSV, Markdown. */
export function writeView(checkpoint: Checkpoint, flags: InspectFlags, { out, err }: CommandContext): void {
  const { json, verbose = false } = flags;
  checkFlags(flags);
  if (flags.summary) {
    const summary = summarizeCheckpoint(checkpoint);
    if (json) writeJson(out, summary);
    else writeSummary(summary, out, verbose);
    return;
  }
  if (flags.modules) {
    const root = moduleTree(checkpoint, flags.filter === undefined ? {} : { groups: ["model", "optimizer", "other"] });
    if (json) writeJson(out, root);
    else {
      out.write(`${out.colors.bold(printable(checkpoint.uri))}\n`);
      writeModules(root, out, { depth: flags.depth, verbose });
    }
  } else if (flags.csv) {
    const batch = new Batch(out);
    for (const record of tensorsCsv(checkpoint)) batch.add(record);
    batch.flush();
  } else out.write(checkpointMarkdown(checkpoint));
  if (!json && !flags.markdown) warnOfFindings(checkpoint.findings, err, verbose);
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT */
function checkFlags({ json, csv, markdown, depth, modules }: InspectFlags): void {
  const wrong =
    json && (csv || markdown)
      ? `--json cannot be combined with ${csv ? "--csv" : "--markdown"}.`
      : depth !== undefined && !modules
        ? "--depth is for --modules."
        : undefined;
  if (wrong !== undefined) throw new CheckpointConfigError("INVALID_ARGUMENT", wrong, { suggestions: ["ckpt inspect --help"] });
}
