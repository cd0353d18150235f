import { CheckpointConfigError, CheckpointValidationError, type Json, type Kernels } from "@ckptkit/core";
import type { CheckpointContext, ModelAdapter } from "@ckptkit/core/pipeline";
import { jsKernels } from "@ckptkit/wasm/js";

/**
 * The context's model.
 *
 * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE when there is none
 */
export function requireModel(context: CheckpointContext, stage: string): ModelAdapter {
  context.validateForStage(stage, ["model"]);
  if (context.model) return context.model;
  throw new CheckpointConfigError("CONTEXT_INCOMPLETE", `The stage ${stage} needs a model.`);
}

/**
 * The context's model, once its weights were loaded.
 *
 * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
 * @throws {CheckpointValidationError} WEIGHTS_NOT_LOADED: to change weights that are about to be replaced is a mistake.
 */
export function requireLoadedModel(context: CheckpointContext, stage: string): ModelAdapter {
  const model = requireModel(context, stage);
  if (model.weightsInitialized) return model;
  throw new CheckpointValidationError(
    "WEIGHTS_NOT_LOADED",
    `The stage ${stage} changes a model's weights, and none have been loaded yet.`,
    {
      details: { stage },
      suggestions: ["Put a loader, such as weights_only, before it."],
    },
  );
}

/** The kernels to compute with: the context's, the platform's, or those in plain JavaScript. */
export const findKernels = async (context: CheckpointContext): Promise<Kernels> =>
  context.kernels ?? (await context.platform?.kernels()) ?? jsKernels();

/** The context with one more entry in `modifiers_applied`. */
export function recordModifier(
  context: CheckpointContext,
  entry: { readonly type: string; readonly [key: string]: Json },
): CheckpointContext {
  const before = context.metadata.modifiers_applied;
  return context.withMetadata({ modifiers_applied: [...(Array.isArray(before) ? before : []), entry] });
}
