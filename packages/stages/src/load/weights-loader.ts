import { CheckpointConfigError, type Json, type TensorData } from "@ckptkit/core";
import { type CheckpointContext, LoadingStrategy, type StageOptions } from "@ckptkit/core/pipeline";
import { incompatibleError } from "../model/incompatible.js";
import type { LoadOptions } from "./load-options.js";
import { nameToIndex } from "./name-index.js";
import { adviceFor, type LoadPlan, planLoad } from "./plan.js";

/** What a strategy has decided to load. */
export interface Selection {
  /** Values by the model's full names. */
  values: ReadonlyMap<string, TensorData>;
  /** What to tell of it in the context's metadata. */
  metadata?: { readonly [key: string]: Json } | undefined;
  /** Takes back what was done besides, when the weights cannot be loaded after all. */
  undo?: (() => void) | undefined;
}

/** The part that all loading strategies share: bring names in line, choose, load, and record it. */
export abstract class WeightsLoader extends LoadingStrategy {
  abstract readonly options: LoadOptions;
  /** The strategy's name in the metadata. */
  protected abstract readonly strategy: string;

  /** Decides what is loaded, from headers alone. Throws when the strategy does not accept what it sees. */
  protected abstract select(plan: LoadPlan, context: CheckpointContext, stage: StageOptions): Selection;

  /** The context after the weights were loaded: without the optimizer and scheduler, whose states belong to other weights. */
  protected loaded(context: CheckpointContext, _plan: LoadPlan): CheckpointContext {
    return context.with({ optimizer: undefined, scheduler: undefined });
  }

  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const { plan, selection } = this.#prepare(context, stage);
    try {
      const { signal, onProgress } = stage;
      await plan.model.loadStateDict(selection.values, { strict: false, signal, onProgress });
    } catch (error) {
      selection.undo?.();
      throw error;
    }
    return this.#finish(context, plan, selection, stage);
  }

  processSync(context: CheckpointContext, stage: StageOptions = {}): CheckpointContext {
    const { plan, selection } = this.#prepare(context, stage);
    try {
      if (!plan.model.loadStateDictSync) throw this.#asyncOnly();
      plan.model.loadStateDictSync(selection.values, { strict: false });
    } catch (error) {
      selection.undo?.();
      throw error;
    }
    return this.#finish(context, plan, selection, stage);
  }

  /**
   * Everything that the checkpoint has.
   *
   * @throws {CheckpointIncompatibleError} INCOMPATIBLE
   */
  protected selectAll(plan: LoadPlan, strict: boolean): Selection {
    this.requireFit(plan, strict);
    const { missingKeys, unexpectedKeys } = plan.differences;
    return { values: plan.values, metadata: { missing_keys: missingKeys, unexpected_keys: unexpectedKeys } };
  }

  /**
   * @throws {CheckpointIncompatibleError} INCOMPATIBLE when a shape does not fit, or, if strict, when a key is missing or unexpected
   */
  protected requireFit(plan: LoadPlan, strict: boolean): void {
    const { missingKeys, unexpectedKeys, shapeMismatches, dtypeMismatches } = plan.differences;
    const unfit = shapeMismatches.length > 0 || dtypeMismatches.length > 0;
    if (!unfit && !(strict && (missingKeys.length > 0 || unexpectedKeys.length > 0))) return;
    throw incompatibleError(strict ? plan.differences : { shapeMismatches, dtypeMismatches }, adviceFor(plan.differences));
  }

  #prepare(context: CheckpointContext, stage: StageOptions): { plan: LoadPlan; selection: Selection } {
    stage.signal?.throwIfAborted();
    const plan = planLoad(context, this.options, this.name);
    for (const notice of plan.notices) stage.onNotice?.(notice);
    return { plan, selection: this.select(plan, context, stage) };
  }

  #finish(context: CheckpointContext, plan: LoadPlan, { values, metadata }: Selection, stage: StageOptions): CheckpointContext {
    const { model, checkpoint, refreshed, record } = plan;
    const own = model.stateDict();
    const count = [...values.keys()].filter((name) => own.has(name)).length - refreshed.length;
    // Nothing was loaded: the model is what it was before, and a pipeline's last check may say so.
    if (count > 0) model.weightsInitialized = true;
    else stage.onNotice?.({ level: "warning", message: `${this.name} loaded nothing: no name of the checkpoint is one of the model's.` });
    const index = nameToIndex(checkpoint);
    const before = context.getMetadata("loads", []);
    const load = { strategy: this.strategy, loaded: Math.max(0, count), ...record };
    return this.loaded(context, plan).withMetadata({
      loading_strategy: this.strategy,
      weights_initialized: model.weightsInitialized,
      loads: [...(Array.isArray(before) ? before : []), load],
      ...(index !== undefined && { name_to_index: index }),
      ...metadata,
    });
  }

  #asyncOnly(): CheckpointConfigError {
    return new CheckpointConfigError(
      "STAGE_ASYNC_ONLY",
      `${this.name} cannot load this model synchronously: its adapter has no loadStateDictSync.`,
      {
        suggestions: ["Use execute() instead of executeSync()."],
      },
    );
  }
}
