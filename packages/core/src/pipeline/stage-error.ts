import { CheckpointError } from "../errors.js";

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
