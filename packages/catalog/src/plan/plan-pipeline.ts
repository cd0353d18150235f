import { type Checkpoint, CheckpointError, CheckpointValidationError, type Kernels, type Platform } from "@ckptkit/core";
import {
  type CheckpointContext,
  checkComposition,
  type Notice,
  type StageKind,
  type StageLike,
  type StageOptions,
  stageName,
} from "@ckptkit/core/pipeline";
import type { Catalog } from "../catalog.js";
import type { PipelineConfig } from "../config/check.js";
import { contextFromConfig, stagesOf } from "../pipeline-from-config.js";
import { contextForLoader } from "../reference-training.js";
import { extentOf } from "./estimate.js";
import { type Activity, HeaderPlatform } from "./header-platform.js";
import { fitOf, type LoaderFit, misfitOf } from "./loader-fit.js";
import { recordingModel } from "./recording-model.js";
import { withoutTransfers } from "./without-transfers.js";

/**
 * What a stage would do: `ready` was carried out from headers and will go well as far as they tell; `reads` can only be known by
 * reading more; `fails` for the reason in `error`; `unreached` comes after one that fails, or after a source of which nothing is known.
 */
export type PlanStatus = "ready" | "reads" | "fails" | "unreached";

/** What one stage would do. */
export interface PlannedStage {
  readonly index: number;
  readonly name: string;
  readonly kind: StageKind | undefined;
  readonly status: PlanStatus;
  /** Bytes that the run would read here. */
  readonly readsBytes: number;
  /** Bytes that the run would write here. */
  readonly writesBytes: number;
  /** Whether these are at most so many, and not exactly. */
  readonly isEstimate: boolean;
  /** For loaders. */
  readonly fit?: LoaderFit | undefined;
  readonly notes: readonly string[];
  readonly error?: CheckpointError | undefined;
}

/** What a pipeline would do. */
export interface PipelinePlan {
  readonly stages: readonly PlannedStage[];
  /** What looks wrong or missing in the order of the stages. */
  readonly notices: readonly Notice[];
  /** Bytes that the run would read and write in all. */
  readonly readsBytes: number;
  readonly writesBytes: number;
  /** Bytes that were read to find this out. */
  readonly plannedBytes: number;
  /** Whether neither a stage nor the whole is known to fail. */
  readonly fits: boolean;
  /** Why the run would fail after its last stage. */
  readonly error?: CheckpointError | undefined;
  /** What the run would know when it ends, as far as headers tell. */
  readonly metadata: CheckpointContext["metadata"];
}

/** What {@link planPipeline} takes. */
export interface PlanOptions {
  platform: Platform;
  kernels?: Kernels | undefined;
  signal?: AbortSignal | undefined;
  /** Whether outputs that exist would be replaced. */
  overwrite?: boolean | undefined;
}

/**
 * Tells what a pipeline would do without doing it. Checkpoints are opened, which reads their headers; loaders bind names; every
 * other stage runs until it asks for a tensor. No weight is read, nothing is written.
 *
 * @throws {CheckpointConfigError} when the stages cannot be built; what opening the model of the configuration throws
 * @example
 * const plan = await planPipeline(config, catalog, { platform: nodePlatform() });
 * plan.stages.map(({ name, status, readsBytes }) => [name, status, readsBytes]);
 */
export async function planPipeline(config: PipelineConfig, catalog: Catalog, options: PlanOptions): Promise<PipelinePlan> {
  const { signal, overwrite } = options;
  const platform = new HeaderPlatform(options.platform, { overwrite });
  const { headers, verifies } = withoutTransfers(config, catalog);
  const stages = stagesOf(headers, catalog);
  const planned: PlannedStage[] = [];
  let context: CheckpointContext | undefined;
  try {
    platform.reset({ mayFetch: true });
    context = await contextFromConfig(config, { platform, kernels: options.kernels, signal });
    let isStopped = false;
    for (const [index, stage] of stages.entries()) {
      signal?.throwIfAborted();
      const about = { index, name: stageName(stage), kind: stage.kind };
      if (isStopped) {
        planned.push({ ...about, status: "unreached", readsBytes: 0, writesBytes: 0, isEstimate: false, notes: [] });
        continue;
      }
      const before = platform.headerBytes;
      platform.reset({ mayFetch: stage.kind === "source" });
      const outcome = await new StageTrial(stage, contextForLoader(stage, context), platform.activity, signal).run();
      const verified = verifies.has(index) && outcome.context ? (outcome.context.checkpoint?.byteLength ?? 0) : 0;
      planned.push({
        ...about,
        ...outcome.planned,
        ...(stage.kind === "source" && { readsBytes: Math.max(verified, platform.headerBytes - before, outcome.planned.readsBytes) }),
        notes: [...(verifies.has(index) ? ["The whole file is read, to verify or to copy it."] : []), ...outcome.planned.notes],
      });
      context = outcome.context ?? context;
      const { status } = outcome.planned;
      isStopped = status === "fails" ? !config.continueOnError : status === "reads" && stage.kind === "source";
    }
  } finally {
    for (const checkpoint of checkpointsOf(context)) await checkpoint.close();
    await platform.close();
  }
  const error = planned.every(({ status }) => status === "ready" || status === "reads") ? endOf(context, stages) : undefined;
  const sum = (field: "readsBytes" | "writesBytes"): number => planned.reduce((total, stage) => total + stage[field], 0);
  return {
    stages: planned,
    notices: checkComposition(stages),
    readsBytes: sum("readsBytes"),
    writesBytes: sum("writesBytes"),
    plannedBytes: platform.headerBytes,
    fits: error === undefined && planned.every(({ status }) => status !== "fails"),
    ...(error && { error }),
    metadata: context.metadata,
  };
}

/** What the pipeline would refuse to hand back. */
function endOf({ model }: CheckpointContext, stages: readonly StageLike[]): CheckpointError | undefined {
  if (!model || model.weightsInitialized || !stages.some(({ kind }) => kind === "source")) return undefined;
  return new CheckpointValidationError("WEIGHTS_NOT_LOADED", "At the end of the run the model's weights would not have been loaded.", {
    suggestions: ["Add a loader, such as weights_only, after the source.", "Bring the names in line by migrations of the loader."],
  });
}

const checkpointsOf = (context: CheckpointContext | undefined): Checkpoint[] => [
  ...new Set([...(context?.checkpoint ? [context.checkpoint] : []), ...(context?.checkpoints.values() ?? [])]),
];

interface Outcome {
  planned: Pick<PlannedStage, "status" | "readsBytes" | "writesBytes" | "isEstimate" | "fit" | "notes" | "error">;
  /** Undefined when the stage was not carried out. */
  context: CheckpointContext | undefined;
}

/** One stage, tried on what headers tell. */
class StageTrial {
  readonly #stage: StageLike;
  readonly #before: CheckpointContext;
  readonly #activity: Activity;
  readonly #notes: string[] = [];
  readonly #options: StageOptions;

  constructor(stage: StageLike, before: CheckpointContext, activity: Activity, signal: AbortSignal | undefined) {
    this.#stage = stage;
    this.#before = before;
    this.#activity = activity;
    this.#options = { signal, onNotice: ({ message }) => this.#notes.push(message) };
  }

  async run(): Promise<Outcome> {
    if (this.#stage.plan) {
      const { readsBytes = 0, writesBytes = 0, notes = [] } = await this.#stage.plan(this.#before, this.#options);
      this.#notes.push(...notes);
      const status = readsBytes > 0 ? "reads" : "ready";
      return { planned: { status, readsBytes, writesBytes, isEstimate: false, notes: this.#notes }, context: undefined };
    }
    const model = this.#before.model && this.#stage.kind === "loader" ? recordingModel(this.#before.model) : undefined;
    const own = this.#before.model?.stateDict();
    try {
      const after = await this.#process(model ? this.#before.with({ model }) : this.#before);
      const context = model && after.model === model ? after.with({ model: this.#before.model }) : after;
      if (this.#activity.wasStopped) return this.#reads(context);
      const { servedBytes, writtenBytes } = this.#activity;
      const fit =
        this.#stage.kind === "loader" ? fitOf(own ?? after.model?.stateDict() ?? new Map(), model?.loaded ?? new Map(), after) : undefined;
      const planned = {
        status: "ready",
        readsBytes: servedBytes,
        writesBytes: writtenBytes,
        isEstimate: false,
        fit,
        notes: this.#notes,
      } as const;
      return { planned, context };
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (this.#activity.wasStopped) return this.#reads(undefined);
      const told = asCheckpointError(error, stageName(this.#stage));
      if (told.code === "HTTP_RANGE_NOT_SUPPORTED") {
        this.#notes.push("The server knows no ranges: the run fetches the whole file, and what follows is not known before.");
        return this.#reads(undefined);
      }
      const fit = misfitOf(own, told);
      return {
        planned: { status: "fails", readsBytes: 0, writesBytes: 0, isEstimate: false, fit, notes: this.#notes, error: told },
        context: undefined,
      };
    }
  }

  /** Loaders without waiting where they can: names are bound, and what some read besides, such as a single score, stays unread. */
  async #process(context: CheckpointContext): Promise<CheckpointContext> {
    const { processSync, kind } = this.#stage;
    if (kind === "loader" && processSync) return processSync.call(this.#stage, context, this.#options);
    return this.#stage.process(context, this.#options);
  }

  /** A stage that asked for tensors: what it reads and writes at most. */
  #reads(context: CheckpointContext | undefined): Outcome {
    const { kind } = this.#stage;
    const options = "options" in this.#stage && typeof this.#stage.options === "object" ? (this.#stage.options ?? {}) : {};
    const { readBytes, writtenBytes } = extentOf(this.#before, options);
    const files = [...this.#activity.opened.values()].reduce((total, size) => total + size, 0);
    const writesBytes = kind === "sink" ? Math.ceil(writtenBytes) + (this.#activity.headBytes ?? 0) : 0;
    if (kind === "modifier") this.#notes.push("It computes with values, so what follows is planned with the tensors as they were.");
    return {
      planned: { status: "reads", readsBytes: files > 0 ? files : readBytes, writesBytes, isEstimate: true, notes: this.#notes },
      context,
    };
  }
}

function asCheckpointError(error: unknown, stage: string): CheckpointError {
  if (error instanceof CheckpointError) return error;
  return new CheckpointError("STAGE_FAILED", `The stage ${stage} failed: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
