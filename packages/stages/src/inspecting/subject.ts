import type { Checkpoint } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";
import { globMatcher, type SelectTensor } from "@ckptkit/inspect";
import * as z from "zod";
import { checkpointOfWeights } from "../model/model-checkpoint.js";

/** Options of stages that look at a checkpoint, or at the model that was loaded. */
export const subjectShape = {
  of: z
    .enum(["auto", "model", "checkpoint"])
    .default("auto")
    .describe("What is looked at: the model's current tensors, or the checkpoint; auto takes the model once weights have been loaded"),
  from: z.string().optional().describe("Name of the checkpoint to look at, as a source gave it (as); implies of: checkpoint"),
} as const;

/** Options that choose tensors. */
export const chooseShape = {
  include: z.array(z.string()).optional().describe("Globs of the tensors that are taken; all when left out"),
  exclude: z.array(z.string()).default([]).describe("Globs of the tensors that are left out"),
} as const;

/** What the options {@link subjectShape} come to. */
interface SubjectOptions {
  of: "auto" | "model" | "checkpoint";
  from?: string | undefined;
}

/** Whether a stage looks at the model. */
export function looksAtModel(context: CheckpointContext, { of, from }: SubjectOptions): boolean {
  if (from !== undefined || of === "checkpoint") return false;
  return of === "model" || context.model?.weightsInitialized === true;
}

/**
 * The tensors that a check looks at, as a checkpoint: of the model, under their names, or of the checkpoint.
 *
 * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
 */
export function subjectOf(context: CheckpointContext, options: SubjectOptions, stageName: string): Checkpoint {
  return looksAtModel(context, options)
    ? checkpointOfWeights(context.require(stageName, "model"))
    : context.requireCheckpoint(stageName, options.from);
}

/** The tensors that globs choose; undefined for all. */
export function selectionOf({
  include,
  exclude,
}: {
  include?: readonly string[] | undefined;
  exclude: readonly string[];
}): SelectTensor | undefined {
  if (include === undefined && exclude.length === 0) return undefined;
  const included = include?.map(globMatcher);
  const excluded = exclude.map(globMatcher);
  return ({ name, path }) => {
    const hit = (matchers: readonly ((text: string) => boolean)[]): boolean => matchers.some((matches) => matches(name) || matches(path));
    return (!included || hit(included)) && !hit(excluded);
  };
}
