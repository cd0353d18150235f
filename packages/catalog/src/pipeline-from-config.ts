import type { Json, Kernels, Platform } from "@ckptkit/core";
import { CheckpointContext, CheckpointPipeline, type StageConfig, type StageLike, stageName } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { ReferenceModel } from "@ckptkit/stages/model";
import type { Catalog } from "./catalog.js";
import type { PipelineConfig } from "./config/check.js";
import { camelCase } from "./config/node.js";
import { contextForLoader } from "./reference-training.js";

/** What {@link pipelineFromConfig} takes besides configuration. */
export interface FromConfigOptions {
  /** Is told every context as soon as a stage has returned it: what is left of a run that fails. */
  onContext?: ((context: CheckpointContext) => void) | undefined;
}

/**
 * The pipeline that a configuration describes. A loader that finds no model in its context fills one that is made from the
 * source's own tensors; its settings are the defaults of the stages' options of the same names.
 *
 * @throws {CheckpointConfigError} UNKNOWN_STAGE, STAGE_CONFIG, INVALID_ARGUMENT
 * @example
 * const pipeline = pipelineFromConfig(config, catalog);
 * const context = await pipeline.execute(await contextFromConfig(config, { platform: nodePlatform() }));
 */
export function pipelineFromConfig(config: PipelineConfig, catalog: Catalog, options: FromConfigOptions = {}): CheckpointPipeline {
  const { continueOnError, asyncExecution } = config;
  return new CheckpointPipeline(
    stagesOf(config, catalog).map((stage) => withOwnModel(stage, options.onContext)),
    { continueOnError, asyncExecution },
  );
}

/** The stages of a configuration, with its settings as the defaults of options of the same names. */
export function stagesOf(config: PipelineConfig, catalog: Catalog): StageLike[] {
  return config.stages.map((stage) => (isStage(stage) ? stage : catalog.build(withSettings(stage, config, catalog))));
}

/** Settings that are options of single stages too. */
const SHARED = ["cacheDir", "maxRetries", "timeout"] as const satisfies readonly (keyof PipelineConfig)[];

function withSettings(stage: StageConfig, config: PipelineConfig, catalog: Catalog): StageConfig {
  const { schema } = catalog.resolve(stage).entry;
  const given = new Set(Object.keys(stage).map(camelCase));
  const settings = SHARED.flatMap((key): [string, Json][] => {
    const value = config[key];
    return value !== undefined && schema && Object.hasOwn(schema.shape, key) && !given.has(key) ? [[key, value]] : [];
  });
  return { ...stage, ...Object.fromEntries(settings) };
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

/** A stage whose contexts are told, and that finds a model. */
function withOwnModel(stage: StageLike, onContext: FromConfigOptions["onContext"]): StageLike {
  const tell = (context: CheckpointContext): CheckpointContext => {
    onContext?.(context);
    return context;
  };
  const { processSync } = stage;
  return {
    kind: stage.kind,
    name: stageName(stage),
    ...("options" in stage && { options: stage.options }), // what the pipeline's check of their order looks at
    process: async (context, options) => tell(await stage.process(contextForLoader(stage, context), options)),
    ...(processSync && { processSync: (context, options) => tell(processSync.call(stage, contextForLoader(stage, context), options)) }),
  };
}
