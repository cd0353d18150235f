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

/** The smallest stage: anything with a `process`. */
export interface StageLike {
  process(context: CheckpointContext, options: StageOptions): CheckpointContext | Promise<CheckpointContext>;
  /** The same without waiting, for stages that can do it. */
  processSync?: ((context: CheckpointContext, options: StageOptions) => CheckpointContext) | undefined;
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
  override readonly kind = "source";
  /** Whether sources of this class handle an address. */
  static supports(_uri: string): boolean {
    return false;
  }
}

/** A stage that looks at a checkpoint and refuses what should not go on. */
export abstract class CheckpointCheck extends PipelineStage {
  override readonly kind = "check";
}

/** A stage that loads a checkpoint into the context's model. */
export abstract class LoadingStrategy extends PipelineStage {
  override readonly kind = "loader";
}

/** A stage that changes the model after its weights were loaded. */
export abstract class ModelModifier extends PipelineStage {
  override readonly kind = "modifier";
}

/** A stage that writes something out. */
export abstract class CheckpointSink extends PipelineStage {
  override readonly kind = "sink";
}

/** The name of any stage. */
export function stageName(stage: StageLike): string {
  return stage.name ?? (stage.constructor === Object ? "stage" : stage.constructor.name);
}
