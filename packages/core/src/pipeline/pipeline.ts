import { CheckpointConfigError, CheckpointError, CheckpointValidationError } from "../errors.js";
import type { Json } from "../json.js";
import type { Progress } from "../progress.js";
import { checkComposition } from "./composition.js";
import type { CheckpointContext, Notice } from "./context.js";
import { checkConfiguration, checkEnvironment } from "./health.js";
import { preview } from "./preview.js";
import { type StageKind, type StageLike, type StageOptions, stageName } from "./stage.js";
import { asyncOnly, enrichError, isOutOfMemory, requireContext } from "./stage-error.js";

/** A stage as configuration describes it. */
export type StageConfig = { readonly [key: string]: Json };

/** Makes a stage of its configuration: the catalog's `build`. */
export type BuildStage = (config: StageConfig) => StageLike;

/** How a pipeline runs. */
export interface PipelineOptions {
  /** Goes on with the next stage when one fails. Default false. */
  continueOnError?: boolean | undefined;
  /** `false` makes `execute` run the stages synchronously. Default true. */
  asyncExecution?: boolean | undefined;
  /** Needed when stages are given as configuration. */
  build?: BuildStage | undefined;
}

/** What happens during a run, for a display that follows it. */
export type PipelineEvent = { index: number; total: number; stage: string; kind: StageKind | undefined } & (
  | { type: "stage:start" }
  | { type: "stage:progress"; progress: Progress }
  | { type: "stage:notice"; notice: Notice }
  | { type: "stage:end"; status: "completed" | "failed"; durationMs: number; error?: CheckpointError }
);

/** What a run takes. */
export interface ExecuteOptions {
  signal?: AbortSignal | undefined;
  onEvent?: ((event: PipelineEvent) => void) | undefined;
}

/**
 * Stages that run one after another on a context.
 *
 * @example
 * const pipeline = new CheckpointPipeline([new LocalSource({ path: "model.ckpt" }), new FiniteCheck()]);
 * const context = await pipeline.execute(new CheckpointContext({ platform: nodePlatform() }));
 */
export class CheckpointPipeline {
  readonly continueOnError: boolean;
  readonly asyncExecution: boolean;
  readonly #build: BuildStage | undefined;
  readonly #stages: StageLike[] = [];
  #notices: Notice[] = [];

  /**
   * @param stages instances, or configuration that `options.build` makes instances of.
   * @throws {CheckpointConfigError} STAGE_CONFIG naming the stage that cannot be built; STAGE_INVALID for something without `process`
   */
  constructor(stages: readonly (StageLike | StageConfig)[] = [], options: PipelineOptions = {}) {
    this.continueOnError = options.continueOnError ?? false;
    this.asyncExecution = options.asyncExecution ?? true;
    this.#build = options.build;
    for (const [index, stage] of stages.entries()) this.#stages.push(this.#stageOf(stage, index));
    this.#notices = checkComposition(this.#stages);
  }

  /**
   * A pipeline from one configuration object, whose settings go before those given beside it.
   *
   * @example CheckpointPipeline.fromConfig({ stages: [{ source: "local", path: "model.ckpt" }], continueOnError: true }, { build });
   */
  static fromConfig(
    config: { stages: readonly (StageLike | StageConfig)[]; continueOnError?: boolean; asyncExecution?: boolean },
    options: PipelineOptions = {},
  ): CheckpointPipeline {
    const { stages, continueOnError = options.continueOnError, asyncExecution = options.asyncExecution } = config;
    return new CheckpointPipeline(stages, { ...options, continueOnError, asyncExecution });
  }

  /** What looks wrong or missing in the order of the stages. */
  get notices(): readonly Notice[] {
    return this.#notices;
  }

  get stages(): readonly StageLike[] {
    return this.#stages;
  }

  get length(): number {
    return this.#stages.length;
  }

  /** Appends a stage. @throws {CheckpointConfigError} STAGE_INVALID, STAGE_CONFIG */
  add(stage: StageLike | StageConfig): this {
    this.#stages.push(this.#stageOf(stage, this.#stages.length));
    this.#notices = checkComposition(this.#stages);
    return this;
  }

  /** Takes a stage out. One that is not there gives a notice. */
  remove(stage: StageLike): this {
    const index = this.#stages.indexOf(stage);
    if (index >= 0) this.#stages.splice(index, 1);
    this.#notices = checkComposition(this.#stages);
    if (index < 0)
      this.#notices.push({ level: "warning", message: `The stage ${stageName(stage)} is not in the pipeline, so it was not removed.` });
    return this;
  }

  /** Takes all stages out. */
  clear(): this {
    this.#stages.length = 0;
    this.#notices = checkComposition(this.#stages);
    return this;
  }

  /** The pipeline in one line. */
  toString(): string {
    return `CheckpointPipeline(${this.#stages.map(stageName).join(" -> ")}${this.continueOnError ? ", continueOnError" : ""})`;
  }

  /**
   * Runs the stages in their order.
   *
   * @throws {CheckpointError} of the first stage that fails, with its place in `details`, unless `continueOnError`
   * @throws {CheckpointValidationError} WEIGHTS_NOT_LOADED when a source ran and the model was not filled
   */
  async execute(initial: CheckpointContext, options: ExecuteOptions = {}): Promise<CheckpointContext> {
    if (!this.asyncExecution) return this.executeSync(initial, options);
    let context = this.#check(initial);
    for (const [index, stage] of this.#stages.entries()) {
      const run = this.#begin(stage, index, options);
      try {
        context = run.completed(requireContext(await stage.process(context, run.options), stage));
      } catch (error) {
        context = run.failed(error, context);
      }
    }
    return this.#finish(context);
  }

  /**
   * Runs the stages without waiting, where all of them can.
   *
   * @throws {CheckpointConfigError} STAGE_ASYNC_ONLY naming the first stage that cannot; nothing has run then
   */
  executeSync(initial: CheckpointContext, options: ExecuteOptions = {}): CheckpointContext {
    for (const [index, stage] of this.#stages.entries()) if (!stage.processSync) throw asyncOnly(stage, index);
    let context = this.#check(initial);
    for (const [index, stage] of this.#stages.entries()) {
      const run = this.#begin(stage, index, options);
      try {
        if (!stage.processSync) throw asyncOnly(stage, index);
        context = run.completed(requireContext(stage.processSync(context, run.options), stage));
      } catch (error) {
        context = run.failed(error, context);
      }
    }
    return this.#finish(context);
  }

  #stageOf(stage: StageLike | StageConfig, index: number): StageLike {
    if (isStage(stage)) return stage;
    if (typeof stage !== "object" || stage === null || !this.#build) {
      throw new CheckpointConfigError("STAGE_INVALID", `Stage ${index} of the pipeline has no "process": ${preview(stage)}.`, {
        details: { stageIndex: index },
        suggestions: ["Give an instance of a stage, or configuration together with a catalog that builds it."],
      });
    }
    try {
      return this.#build(stage);
    } catch (cause) {
      const because = cause instanceof Error ? cause.message : String(cause);
      throw new CheckpointConfigError("STAGE_CONFIG", `Stage ${index} of the pipeline cannot be built from ${preview(stage)}: ${because}`, {
        details: { ...(cause instanceof CheckpointError ? cause.details : {}), stageIndex: index, config: preview(stage) },
        suggestions:
          cause instanceof CheckpointError && cause.suggestions.length > 0 ? cause.suggestions : ["See what there is with: ckpt catalog"],
        cause,
      });
    }
  }

  /** Looks at environment and configuration. What it finds is recorded, and stops nothing. */
  #check(context: CheckpointContext): CheckpointContext {
    return context.withMetadata({
      validation_environment_status: checkEnvironment().status,
      validation_config_status: checkConfiguration(context, this.#stages).status,
      validation_performed: true,
    });
  }

  #begin(stage: StageLike, index: number, { signal, onEvent }: ExecuteOptions) {
    const place = { stage: stageName(stage), index, total: this.#stages.length };
    const about = { ...place, kind: stage.kind };
    const key = `stage_${index}_${place.stage}`;
    const options: StageOptions = {
      signal,
      onProgress: onEvent && ((progress) => onEvent({ ...about, type: "stage:progress", progress })),
      onNotice: onEvent && ((notice) => onEvent({ ...about, type: "stage:notice", notice })),
    };
    signal?.throwIfAborted();
    onEvent?.({ ...about, type: "stage:start" });
    const start = performance.now();
    const end = (context: CheckpointContext, status: string, error?: CheckpointError): CheckpointContext => {
      const durationMs = performance.now() - start;
      onEvent?.({ ...about, type: "stage:end", status: error ? "failed" : "completed", durationMs, ...(error && { error }) });
      return context.withMetadata({ [key]: status, [`${key}_ms`]: Math.round(durationMs) });
    };
    return {
      options,
      completed: (context: CheckpointContext): CheckpointContext => end(context, "completed"),
      failed: (error: unknown, context: CheckpointContext): CheckpointContext => {
        if (isOutOfMemory(error) || (signal?.aborted && error === signal.reason)) throw error;
        const enriched = enrichError(error, place);
        const next = end(context, `failed: ${enriched.message}`, enriched);
        if (!this.continueOnError) throw enriched;
        return next;
      },
    };
  }

  /** Refuses to hand back a model with random weights. */
  #finish(context: CheckpointContext): CheckpointContext {
    const hasSource = this.#stages.some(({ kind }) => kind === "source");
    if (!hasSource || !context.model || context.model.weightsInitialized) return context;
    throw new CheckpointValidationError(
      "WEIGHTS_NOT_LOADED",
      "The pipeline has a source and a model, but at its end the model's weights have not been loaded: they are still what the model was made with.",
      {
        details: { stages: this.#stages.map(stageName), metadata: context.metadata },
        suggestions: [
          this.#stages.some(({ kind }) => kind === "loader")
            ? "The loader filled nothing: see which names it found with ckpt plan, and give it migrations or another checkpoint."
            : "Add a loader, such as weights_only, after the source.",
          "Look at the failed stages in the metadata: stage_<index>_<name>.",
        ],
      },
    );
  }
}

function isStage(stage: StageLike | StageConfig): stage is StageLike {
  return typeof stage === "object" && stage !== null && typeof stage.process === "function";
}
