import { type Checkpoint, CheckpointError } from "@ckptkit/core";
import { compareCheckpoints, type SelectTensor } from "@ckptkit/inspect";
import type { CommandContext, CommonFlags } from "../command-context.js";
import { open } from "../open.js";
import { writeComparison } from "../output/comparison.js";
import { EXIT, exitCodeOf } from "../output/errors.js";
import { warnOfFindings } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { showProgress } from "../output/progress.js";
import { selection } from "../select.js";
import { Timings } from "../timings.js";

/** What `ckpt compare` takes. */
export interface CompareFlags extends CommonFlags {
  filter?: string;
  by?: "path" | "name";
  stripPrefix?: string;
  atol?: number;
  rtol?: number;
  ignoreDtype?: boolean;
  /** False with --no-values. */
  values: boolean;
}

/** Compares two checkpoints. Exit code 0 when they are the same, 1 when they differ, 2 when they cannot be compared, as diff has it. */
export async function compare(uriA: string, uriB: string, flags: CompareFlags, context: CommandContext): Promise<number> {
  try {
    const a = await open(uriA, context);
    try {
      const b = await open(uriB, context);
      try {
        return await compareOpened(a.checkpoint, b.checkpoint, flags, context);
      } finally {
        await b.checkpoint.close();
      }
    } finally {
      await a.checkpoint.close();
    }
  } catch (error) {
    throw asTrouble(error);
  }
}

/** A damaged file is trouble, and must not pass for a difference. */
function asTrouble(error: unknown): unknown {
  if (!(error instanceof CheckpointError) || exitCodeOf(error) !== EXIT.problem) return error;
  const { code, message, details, suggestions } = error;
  return new CheckpointError(code, message, { details, suggestions, cause: error });
}

async function compareOpened(a: Checkpoint, b: Checkpoint, flags: CompareFlags, { out, err, signal }: CommandContext): Promise<number> {
  const timings = new Timings();
  const { stripPrefix } = flags;
  const progress = showProgress(err);
  const found = await compareCheckpoints(a, b, {
    select: flags.filter === undefined ? undefined : selectEither(a, b, flags.filter),
    by: flags.by,
    rename: stripPrefix === undefined ? undefined : (name) => (name.startsWith(stripPrefix) ? name.slice(stripPrefix.length) : name),
    tolerance: { abs: flags.atol, rel: flags.rtol },
    ignoreDType: flags.ignoreDtype,
    values: flags.values,
    signal,
    onProgress: progress.onProgress,
  }).finally(progress.stop);
  timings.lap("compare");
  if (flags.json) writeJson(out, { a: a.uri, b: b.uri, ...found });
  else {
    for (const { findings } of [a, b]) warnOfFindings(findings, err, flags.verbose ?? false);
    writeComparison(found, { a: a.uri, b: b.uri }, out, flags.verbose ?? false);
  }
  if (flags.verbose) timings.write(err);
  return found.verdict === "same" ? EXIT.good : EXIT.problem;
}

/** The choice of a filter that matches on one side at least. */
function selectEither(a: Checkpoint, b: Checkpoint, filter: string): SelectTensor {
  return selection({ ...a, tensors: [...a.tensors, ...b.tensors] }, filter);
}
