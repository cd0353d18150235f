import { planPipeline, stageLabels } from "@ckptkit/catalog";
import { CheckpointIncompatibleError } from "@ckptkit/core";
import type { CommandContext, CommonFlags } from "../command-context.js";
import { EXIT, exitCodeOf, writeError } from "../output/errors.js";
import { writeJson } from "../output/json.js";
import { warnOfNotices } from "../pipeline/notices.js";
import { writePlan } from "../pipeline/plan-table.js";
import { platformFor } from "../pipeline/platform.js";
import { readPipeline } from "../pipeline/read-pipeline.js";

/** What `ckpt plan` takes. */
export interface PlanFlags extends CommonFlags {
  set?: string[];
  force?: boolean;
}

/** Tells what a pipeline would read, load and write, from headers alone. */
export async function plan(
  file: string,
  { set, force = false, json, verbose = false }: PlanFlags,
  context: CommandContext,
): Promise<number> {
  const { err, out, signal } = context;
  const { config, catalog } = await readPipeline(file, set);
  const labels = stageLabels(config, catalog);
  const planned = await planPipeline(config, catalog, { platform: platformFor(config, { overwrite: force }), overwrite: force, signal });
  const errors = [...planned.stages, planned].flatMap(({ error }) => (error ? [error] : []));
  if (json) {
    const stages = planned.stages.map(({ index, name: _, error, ...stage }) => ({
      ...labels[index],
      ...stage,
      ...(error && { error: error.toJSON() }),
    }));
    const { readsBytes, writesBytes, plannedBytes, fits, notices, metadata } = planned;
    writeJson(out, {
      file,
      fits,
      readsBytes,
      writesBytes,
      plannedBytes,
      stages,
      notices: [...catalog.notices, ...notices],
      metadata,
      error: planned.error?.toJSON(),
    });
  } else {
    warnOfNotices([...catalog.notices, ...planned.notices], err, verbose);
    writePlan(file, planned, labels, out);
    for (const error of errors) writeError(error, err, verbose);
  }
  const [first] = errors;
  if (!first) return EXIT.good;
  return first instanceof CheckpointIncompatibleError ? EXIT.problem : exitCodeOf(first);
}
