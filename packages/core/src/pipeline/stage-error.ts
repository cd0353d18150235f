import { CheckpointConfigError, CheckpointError } from "../errors.js";
import type { CheckpointContext } from "./context.js";
import { type StageLike, stageName } from "./stage.js";

/** Where in a pipeline an error arose. */
export interface StagePlace {
  stage: string;
  index: number;
  total: number;
}

/** Whether an error says that memory ran out: such errors are never swallowed, whatever a pipeline is told. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && /allocation failed|out of memory|array buffer|could not allocate/i.test(error.message);
}

/**
 * The error of a stage with its place in the pipeline added. Errors of other kinds are wrapped: their message stays, and they
 * are the cause.
 */
export function enrichError(error: unknown, { stage, index, total }: StagePlace): CheckpointError {
  const place = { pipelineStage: stage, stageIndex: index, totalStages: total };
  if (error instanceof CheckpointError) {
    Object.assign(error.details, place);
    return error;
  }
  const type = error instanceof Error ? error.name : typeof error;
  const message = error instanceof Error ? error.message : String(error);
  return new CheckpointError("STAGE_FAILED", `The stage ${stage} (${index + 1} of ${total}) failed: ${message}`, {
    details: { ...place, errorType: type },
    cause: error,
  });
}

/** Stages may be plain JavaScript: one that forgets to return its context must not end in a riddle. */
export function requireContext(value: unknown, stage: StageLike): CheckpointContext {
  if (isContext(value)) return value;
  throw new CheckpointConfigError("STAGE_INVALID", `The stage ${stageName(stage)} did not return a CheckpointContext.`, {
    details: { stage: stageName(stage), found: value === null ? "null" : typeof value },
    suggestions: ["Return context.with(...) from its process, or the context itself."],
  });
}

/** By what it can do, not by its class: a stage of another package may have a copy of this one, with a class of its own. */
function isContext(value: unknown): value is CheckpointContext {
  if (typeof value !== "object" || value === null) return false;
  return "withMetadata" in value && typeof value.withMetadata === "function" && "metadata" in value;
}

/** A stage that can only run asynchronously stands in a synchronous run. */
export function asyncOnly(stage: StageLike, index: number): CheckpointConfigError {
  return new CheckpointConfigError("STAGE_ASYNC_ONLY", `The stage ${stageName(stage)} (stage ${index}) can only run asynchronously.`, {
    details: { stage: stageName(stage), stageIndex: index },
    suggestions: ["Use execute() instead of executeSync()."],
  });
}
