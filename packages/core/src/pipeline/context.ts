import type { Checkpoint, Layout } from "../checkpoint.js";
import { CheckpointConfigError } from "../errors.js";
import type { Json } from "../json.js";
import type { Kernels } from "../kernels.js";
import type { Platform } from "../platform.js";
import type { ModelAdapter, Stateful } from "./model.js";

/** Something that a person should know about a run, that does not stop it. */
export interface Notice {
  level: "info" | "warning";
  message: string;
}

/** The fields of a context that stages read and replace. */
export interface ContextFields {
  /** Path or address of the checkpoint. */
  checkpointPath?: string | undefined;
  /** The checkpoint that was opened: the reference system's "checkpoint data". */
  checkpoint?: Checkpoint | undefined;
  /** Further checkpoints by the names that sources gave them (`as`), for stages that ask for one by name (`from`). */
  checkpoints?: ReadonlyMap<string, Checkpoint> | undefined;
  model?: ModelAdapter | undefined;
  optimizer?: Stateful | undefined;
  scheduler?: Stateful | undefined;
  /** The pipeline's configuration, for stages that look settings up. */
  config?: { readonly [key: string]: Json } | undefined;
  checkpointFormat?: Layout | undefined;
  /** The Lightning module around the model, where there is one. */
  lightningModule?: unknown;
  /** How addresses are opened and written. */
  platform?: Platform | undefined;
  kernels?: Kernels | undefined;
}

/** What a context is made from. */
export interface ContextInit extends ContextFields {
  metadata?: { readonly [key: string]: Json } | undefined;
}

/** Fields that `validateForStage` can demand. */
export type ContextField = keyof ContextFields;

/**
 * What flows through a pipeline: a checkpoint, the model that it is loaded into, and what was learnt on the way. A context
 * is not changed: stages return a new one.
 *
 * @example
 * const context = new CheckpointContext({ checkpointPath: "model.ckpt", model });
 * const next = context.with({ checkpoint }).withMetadata({ source_type: "local" });
 */
export class CheckpointContext implements Readonly<ContextFields> {
  readonly checkpointPath: string | undefined;
  readonly checkpoint: Checkpoint | undefined;
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly model: ModelAdapter | undefined;
  readonly optimizer: Stateful | undefined;
  readonly scheduler: Stateful | undefined;
  readonly config: { readonly [key: string]: Json } | undefined;
  readonly checkpointFormat: Layout | undefined;
  readonly lightningModule: unknown;
  readonly platform: Platform | undefined;
  readonly kernels: Kernels | undefined;
  /** What stages recorded, as plain JSON. */
  readonly metadata: { readonly [key: string]: Json };
  /** What looked inconsistent when the context was made. */
  readonly notices: readonly Notice[];

  constructor(init: ContextInit = {}) {
    this.checkpointPath = init.checkpointPath;
    this.checkpoint = init.checkpoint;
    this.checkpoints = new Map(init.checkpoints);
    this.model = init.model;
    this.optimizer = init.optimizer;
    this.scheduler = init.scheduler;
    this.config = init.config;
    this.checkpointFormat = init.checkpointFormat;
    this.lightningModule = init.lightningModule;
    this.platform = init.platform;
    this.kernels = init.kernels;
    this.metadata = { ...init.metadata };
    this.notices = consistencyNotices(init);
  }

  /** A context with some fields replaced. */
  with(fields: ContextFields): CheckpointContext {
    return new CheckpointContext({ ...this, ...fields });
  }

  /**
   * A context with a checkpoint that was opened: under a name, where stages find it by that name, or as the checkpoint.
   *
   * @example context.withCheckpoint(encoder, "encoder").checkpoints.get("encoder")
   */
  withCheckpoint(checkpoint: Checkpoint, name?: string): CheckpointContext {
    return this.with(name === undefined ? { checkpoint } : { checkpoints: new Map([...this.checkpoints, [name, checkpoint]]) });
  }

  /**
   * The checkpoint that a stage works on: the one of a name, or the checkpoint.
   *
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE when it is not there, or empty
   */
  requireCheckpoint(stageName: string, name?: string): Checkpoint {
    const checkpoint = name === undefined ? this.checkpoint : this.checkpoints.get(name);
    if (checkpoint && !isEmpty(checkpoint)) return checkpoint;
    if (name === undefined) this.validateForStage(stageName, ["checkpoint"]);
    const names = [...this.checkpoints.keys()];
    throw new CheckpointConfigError(
      "CONTEXT_INCOMPLETE",
      `The stage ${stageName} needs the checkpoint "${name}", which ${checkpoint ? "is empty" : "the context does not have"}.`,
      {
        details: { stage: stageName, missing: [`checkpoints.${name}`], names },
        suggestions: [
          names.length > 0
            ? `Checkpoints there are: ${names.join(", ")}.`
            : `Put a source before this stage that names its checkpoint: as: ${name}.`,
        ],
      },
    );
  }

  /** A context with entries added to its metadata; entries of the same name are replaced. */
  withMetadata(entries: { readonly [key: string]: Json }): CheckpointContext {
    return new CheckpointContext({ ...this, metadata: { ...this.metadata, ...entries } });
  }

  /** An entry of the metadata, or the default. */
  getMetadata<T extends Json>(key: string, fallback: T): Json | T {
    const value = Object.hasOwn(this.metadata, key) ? this.metadata[key] : undefined;
    return value === undefined ? fallback : value;
  }

  /** Whether a checkpoint is present and not empty. */
  get hasCheckpointData(): boolean {
    return this.checkpoint !== undefined && !isEmpty(this.checkpoint);
  }

  /**
   * Makes sure that a stage finds what it needs.
   *
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE naming every field that is missing
   */
  validateForStage(stageName: string, required: readonly ContextField[]): void {
    const missing = required.filter((field) => (field === "checkpoint" ? !this.hasCheckpointData : this[field] === undefined));
    if (missing.length === 0) return;
    throw new CheckpointConfigError(
      "CONTEXT_INCOMPLETE",
      `The stage ${stageName} needs what the context does not have: ${missing.join(", ")}.`,
      {
        details: { stage: stageName, missing },
        suggestions: missing.map((field) => HOW_TO_GET[field]).filter((hint) => hint !== undefined),
      },
    );
  }

  /**
   * A field that a stage needs.
   *
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
   * @example const model = context.require("FreezingModifier", "model");
   */
  require<F extends ContextField>(stageName: string, field: F): NonNullable<CheckpointContext[F]> {
    this.validateForStage(stageName, [field]);
    return this[field] as NonNullable<CheckpointContext[F]>; // or validateForStage has thrown
  }

  /** The context in one line. */
  toString(): string {
    const parts = [
      this.checkpointPath !== undefined && `path=${this.checkpointPath}`,
      this.checkpoint && `checkpoint=${this.checkpoint.format} (${this.checkpoint.tensors.length} tensors)`,
      this.checkpoints.size > 0 && `checkpoints=${[...this.checkpoints.keys()].join("+")}`,
      this.checkpointFormat && `format=${this.checkpointFormat}`,
      ...(["model", "optimizer", "scheduler", "lightningModule"] as const).map((field) => this[field] !== undefined && field),
      `metadata=${Object.keys(this.metadata).length} entries`,
    ];
    return `CheckpointContext(${parts.filter(Boolean).join(", ")})`;
  }
}

function isEmpty({ tensors, metadata }: Checkpoint): boolean {
  return tensors.length === 0 && Object.keys(metadata).length === 0;
}

const HOW_TO_GET: Partial<Record<ContextField, string>> = {
  checkpoint: "Put a source before this stage.",
  model: "Give the context a model, or let the pipeline build one (model: {like: URI}).",
  checkpointPath: "Give the path of the checkpoint.",
  platform: "Give the context a platform: nodePlatform() of @ckptkit/node, or browserPlatform() of @ckptkit/browser.",
};

function consistencyNotices({ model, optimizer, scheduler, lightningModule, checkpointFormat }: ContextInit): Notice[] {
  const notices: Notice[] = [];
  if (optimizer && !model) notices.push({ level: "warning", message: "The context has an optimizer, but no model." });
  if (scheduler && !optimizer) notices.push({ level: "warning", message: "The context has a scheduler, but no optimizer." });
  if (lightningModule !== undefined && checkpointFormat !== undefined && checkpointFormat !== "lightning") {
    notices.push({ level: "warning", message: `The context has a Lightning module, but the checkpoint's format is ${checkpointFormat}.` });
  }
  if (!model) notices.push({ level: "info", message: "The context has no model." });
  return notices;
}
