import type { Progress } from "../progress.js";
import type { CheckpointContext, Notice } from "./context.js";

/** The layers of a pipeline, in the order in which they make sense. */
export const STAGE_KINDS = ["source", "check", "loader", "modifier", "sink"] as const;

/** What a stage does in a pipeline. */
export type StageKind = (typeof STAGE_KINDS)[number];

/** What a stage may use while it runs. */
export interface StageOptions {
  /** Stops the run: the stage rejects with the signal's reason and leaves nothing half-done. */
  signal?: AbortSignal | undefined;
  /** Reports progress within the stage. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Tells something that does not stop the run. */
  onNotice?: ((notice: Notice) => void) | undefined;
}

/** What a stage would do, found out without reading a weight. */
export interface StagePlan {
  /** Bytes that it would read, beyond those of headers. */
  readsBytes?: number | undefined;
  /** Bytes that it would write. */
  writesBytes?: number | undefined;
  /** What else a person should know before the run. */
  notes?: readonly string[] | undefined;
}

/** The smallest stage: anything with a `process`. */
export interface StageLike {
  process(context: CheckpointContext, options: StageOptions): CheckpointContext | Promise<CheckpointContext>;
  /** The same without waiting, for stages that can do it. */
  processSync?: ((context: CheckpointContext, options: StageOptions) => CheckpointContext) | undefined;
  /** Tells what the stage would do, for dry runs. Stages without it are planned by what they may read and write at most. */
  plan?: ((context: CheckpointContext, options: StageOptions) => StagePlan | Promise<StagePlan>) | undefined;
  readonly kind?: StageKind | undefined;
  readonly name?: string | undefined;
}

/**
 * One step of a pipeline: takes a context and returns the next. Extend one of the five kinds below, so that the catalog
 * finds it and the pipeline knows its place.
 *
 * @example
 * export class EpochCheck extends CheckpointCheck {
 *   static readonly description = "Refuses checkpoints of the first epochs";
 *   async process(context: CheckpointContext): Promise<CheckpointContext> {
 *     if (Number(context.checkpoint?.metadata.epoch) < 5) throw new CheckpointValidationError("CHECK_FAILED", "Trained too briefly.");
 *     return context;
 *   }
 * }
 */
export abstract class PipelineStage implements StageLike {
  /**
   * The kind of a class of stages, set by the base of each kind. Catalogs look at it and not at the base itself, so that they find
   * stages of packages that carry their own copy of this module.
   */
  static readonly stageKind: StageKind | undefined;
  /** One line for the catalog. */
  static readonly description: string | undefined;
  /** A zod schema of the options that the constructor takes; core does not look into it. */
  static readonly schema: unknown;
  /** Undefined for a stage of no layer. */
  readonly kind: StageKind | undefined;

  abstract process(context: CheckpointContext, options: StageOptions): Promise<CheckpointContext>;

  /** The class's name. */
  get name(): string {
    return this.constructor.name;
  }

  /** The stage in one line. */
  toString(): string {
    return `${this.name}()`;
  }
}

/** A stage that opens a checkpoint. */
export abstract class CheckpointSource extends PipelineStage {
  static override readonly stageKind = "source";
  override readonly kind = "source";
  /** Whether sources of this class handle an address. */
  static supports(_uri: string): boolean {
    return false;
  }
}

/** A stage that looks at a checkpoint and refuses what should not go on. */
export abstract class CheckpointCheck extends PipelineStage {
  static override readonly stageKind = "check";
  override readonly kind = "check";
}

/** A stage that loads a checkpoint into the context's model. */
export abstract class LoadingStrategy extends PipelineStage {
  static override readonly stageKind = "loader";
  override readonly kind = "loader";
}

/** A stage that changes the model after its weights were loaded. */
export abstract class ModelModifier extends PipelineStage {
  static override readonly stageKind = "modifier";
  override readonly kind = "modifier";
}

/** A stage that writes something out. */
export abstract class CheckpointSink extends PipelineStage {
  static override readonly stageKind = "sink";
  override readonly kind = "sink";
}

/** The name of any stage. */
export function stageName(stage: StageLike): string {
  return stage.name ?? (stage.constructor === Object ? "stage" : stage.constructor.name);
}
