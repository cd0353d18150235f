import { ContextTrail, contextFromConfig, type PipelineConfig, pipelineFromConfig, stageLabels, stageSummary } from "@ckptkit/catalog";
import { type CheckpointError, CheckpointIncompatibleError } from "@ckptkit/core";
import type { CommandContext, CommonFlags } from "../command-context.js";
import { asCheckpointError, EXIT, exitCodeOf, writeError } from "../output/errors.js";
import { findingsText } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { durationText, plural } from "../output/sizes.js";
import { warnOfNotices } from "../pipeline/notices.js";
import { platformFor } from "../pipeline/platform.js";
import { readPipeline } from "../pipeline/read-pipeline.js";
import { StageLines } from "../pipeline/stage-lines.js";
import { platformWorkers } from "../threads.js";
import type { WorkersFlags } from "../workers-option.js";

/** What `ckpt run` takes. */
export interface RunFlags extends CommonFlags, WorkersFlags {
  set?: string[];
  dryRun?: boolean;
  force?: boolean;
}

/** Runs the pipeline that a file describes. */
export async function run(file: string, flags: RunFlags, context: CommandContext): Promise<number> {
  if (flags.dryRun) return (await import("./plan.js")).plan(file, flags, context);
  const { json = false, verbose = false, force = false } = flags;
  const { err, out, signal } = context;
  const { config, catalog } = await readPipeline(file, flags.set);
  const lines = new StageLines(stageLabels(config, catalog), context, { silent: json });
  const contexts = new ContextTrail();
  const pipeline = pipelineFromConfig(config, catalog, { onContext: (next) => contexts.add(next) });
  if (!json) warnOfNotices([...catalog.notices, ...pipeline.notices], err, verbose);

  const start = performance.now();
  let failure: CheckpointError | undefined;
  try {
    const first = await contextFromConfig(config, {
      platform: platformFor(config, { overwrite: force, workers: platformWorkers(flags) }),
      signal,
    });
    contexts.add(first);
    const last = await pipeline.execute(first, {
      signal,
      onEvent: (event) => lines.onEvent(event, () => (contexts.last ? stageSummary(event.kind, contexts.previous, contexts.last) : "")),
    });
    contexts.add(last);
  } catch (error) {
    if (signal.aborted) throw error;
    failure = asCheckpointError(error);
  } finally {
    lines.stop();
    await contexts.close();
  }
  const { records } = lines;
  const findings = contexts.findings;
  const failed = records.filter(({ status }) => status === "failed");
  if (json) {
    const stages = records.map(({ error: told, ...record }) => ({ ...record, ...(told && { error: told.toJSON() }) }));
    writeJson(out, { stages, metadata: contexts.last?.metadata ?? {}, findings, error: failure?.toJSON() });
  } else {
    if (findings.length > 0)
      err.write(findingsText(verbose ? findings : findings.filter(({ severity }) => severity !== "info"), err, verbose));
    for (const { error } of failed) if (error && error !== failure) writeError(error, err, verbose);
    if (failure) writeError(failure, err, verbose);
    const verdict = failed.length > 0 || failure ? out.colors.red("failed") : out.colors.green("done");
    out.write(
      `${verdict}: ${plural(records.filter(({ status }) => status === "completed").length, "stage")} of ${records.length} in ${durationText(performance.now() - start)}\n`,
    );
  }
  return exitCodeFor(
    failure,
    failed.map(({ error }) => error),
    config,
  );
}

function exitCodeFor(
  failure: CheckpointError | undefined,
  failed: readonly (CheckpointError | undefined)[],
  { continueOnError }: PipelineConfig,
): number {
  if (failure) return failure instanceof CheckpointIncompatibleError ? EXIT.problem : exitCodeOf(failure);
  return continueOnError && failed.length > 0 ? EXIT.problem : EXIT.good;
}
