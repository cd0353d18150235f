import type { Kernels, Platform } from "@ckptkit/core";
import { CheckpointContext, CheckpointPipeline, type StageLike, stageName } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { ReferenceModel } from "@ckptkit/stages/model";
import type { Catalog } from "./catalog.js";
import type { PipelineConfig } from "./config/load.js";

/**
 * The pipeline that a configuration describes. A loader that finds no model in its context fills one that is made from the
 * source's own tensors.
 *
 * @throws {CheckpointConfigError} STAGE_CONFIG, UNKNOWN_STAGE
 * @example
 * const pipeline = pipelineFromConfig(config, catalog);
 * const context = await pipeline.execute(await contextFromConfig(config, { platform: nodePlatform() }));
 */
export function pipelineFromConfig(config: PipelineConfig, catalog: Catalog): CheckpointPipeline {
  const { stages, continueOnError, asyncExecution } = config;
  return CheckpointPipeline.fromConfig(
    { stages, continueOnError, asyncExecution },
    { build: (stage) => withOwnModel(catalog.build(stage)) },
  );
}

/** The context that a configured pipeline begins with: platform, kernels, and the model that it names. */
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
    return context.with({ model: ReferenceModel.like(like) });
  } finally {
    await like.close();
  }
}

/** A loader that makes the model from the checkpoint when the context brings none. */
function withOwnModel(stage: StageLike): StageLike {
  if (stage.kind !== "loader") return stage;
  const prepare = (context: CheckpointContext): CheckpointContext =>
    context.model || !context.checkpoint ? context : context.with({ model: ReferenceModel.like(context.checkpoint) });
  const { processSync } = stage;
  return {
    kind: "loader",
    name: stageName(stage),
    process: (context, options) => stage.process(prepare(context), options),
    ...(processSync && { processSync: (context, options) => processSync.call(stage, prepare(context), options) }),
  };
}
