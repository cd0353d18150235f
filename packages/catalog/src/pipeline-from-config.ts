import type { Kernels, Platform } from "@ckptkit/core";
import { CheckpointContext, CheckpointPipeline, type StageLike, stageName } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { ReferenceModel } from "@ckptkit/stages/model";
import type { Catalog } from "./catalog.js";
import type { PipelineConfig } from "./config/check.js";

/** What {@link pipelineFromConfig} takes besides configuration. */
export interface FromConfigOptions {
  /** Is told every context as soon as a stage has returned it: what is left of a run that fails. */
  onContext?: ((context: CheckpointContext) => void) | undefined;
}

/**
 * The pipeline that a configuration describes. A loader that finds no model in its context fills one that is made from the
 * source's own tensors.
 *
 * @throws {CheckpointConfigError} UNKNOWN_STAGE, STAGE_CONFIG, INVALID_ARGUMENT
 * @example
 * const pipeline = pipelineFromConfig(config, catalog);
 * const context = await pipeline.execute(await contextFromConfig(config, { platform: nodePlatform() }));
 */
export function pipelineFromConfig(config: PipelineConfig, catalog: Catalog, { onContext }: FromConfigOptions = {}): CheckpointPipeline {
  const { continueOnError, asyncExecution } = config;
  const stages = config.stages.map((stage) => withOwnModel(isStage(stage) ? stage : catalog.build(stage), onContext));
  return new CheckpointPipeline(stages, { continueOnError, asyncExecution });
}

/**
 * The context that a configured pipeline begins with: platform, kernels, settings, and the model that it names.
 *
 * @throws what opening the model's checkpoint throws
 */
export async function contextFromConfig(
  config: PipelineConfig,
  { platform, kernels, signal }: { platform: Platform; kernels?: Kernels | undefined; signal?: AbortSignal | undefined },
): Promise<CheckpointContext> {
  const { stages: _, ...settings } = config;
  const context = new CheckpointContext({
    platform,
    kernels: kernels ?? (await platform.kernels()),
    config: JSON.parse(JSON.stringify(settings)),
  });
  if (!config.model) return context;
  const like = await openUri(platform, config.model.like, { signal });
  try {
    return context.with({ model: ReferenceModel.like(like, { kernels: context.kernels }) });
  } finally {
    await like.close();
  }
}

const isStage = (stage: PipelineConfig["stages"][number]): stage is StageLike => typeof stage.process === "function";

/** A stage whose contexts are told; a loader that makes the model from the checkpoint when the context brings none. */
function withOwnModel(stage: StageLike, onContext: FromConfigOptions["onContext"]): StageLike {
  const prepare = (context: CheckpointContext): CheckpointContext => {
    if (stage.kind !== "loader" || context.model || !context.checkpoint) return context;
    return context.with({ model: ReferenceModel.like(context.checkpoint, { kernels: context.kernels }) });
  };
  const tell = (context: CheckpointContext): CheckpointContext => {
    onContext?.(context);
    return context;
  };
  const { processSync, plan } = stage;
  return {
    kind: stage.kind,
    name: stageName(stage),
    process: async (context, options) => tell(await stage.process(prepare(context), options)),
    ...(processSync && { processSync: (context, options) => tell(processSync.call(stage, prepare(context), options)) }),
    ...(plan && { plan: (context, options) => plan.call(stage, prepare(context), options) }),
  };
}
