import type { Tree } from "@ckptkit/core";
import type { CheckpointContext, StageOptions, Stateful } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { loadShape } from "../load/load-options.js";
import type { LoadPlan } from "../load/plan.js";
import { bestModelScore, optimizerState, schedulerState, trainingState } from "../load/training-state.js";
import { type Selection, WeightsLoader } from "../load/weights-loader.js";
import { parseOptions } from "../options.js";

const options = z.strictObject(loadShape);

/**
 * Goes on with a training where a checkpoint left it: all weights, the states of optimizer and scheduler, epoch and step. Either
 * everything is loaded or nothing.
 *
 * @example
 * const model = ReferenceModel.like(checkpoint);
 * const optimizer = new ReferenceOptimizer(model);
 * const { metadata } = await new WarmStartLoader().process(new CheckpointContext({ checkpoint, model, optimizer }));
 * metadata.global_step // 96
 */
export class WarmStartLoader extends WeightsLoader {
  static override readonly description = "Goes on with a training: weights, optimizer, scheduler, epoch and step";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;
  protected readonly strategy = "warm_start";

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "WarmStartLoader");
  }

  /** Also reads the best score of Lightning's ModelCheckpoint, a single number, where the checkpoint has no `best_metric`. */
  override async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const next = await super.process(context, stage);
    const score =
      next.metadata.best_metric === undefined
        ? await bestModelScore(context.requireCheckpoint(this.name, this.options.from), { signal: stage.signal })
        : undefined;
    return score === undefined || !Number.isFinite(score) ? next : next.withMetadata({ best_metric: score });
  }

  /** @throws {CheckpointIncompatibleError} INCOMPATIBLE when weights, optimizer or scheduler do not fit */
  protected select(plan: LoadPlan, context: CheckpointContext, stage: StageOptions): Selection {
    this.requireFit(plan, true);
    const undos: (() => void)[] = [];
    const undo = (): void => {
      for (const step of undos.reverse()) step();
    };
    const restore = (what: string, target: Stateful | undefined, state: Tree | undefined): void => {
      const notice = (message: string): void => stage.onNotice?.({ level: "warning", message });
      if (!target && state !== undefined) notice(`The checkpoint has ${what} state, and the context has no ${what} to load it into.`);
      if (target && state === undefined) notice(`The checkpoint has no ${what} state: the ${what} begins anew.`);
      if (!target || state === undefined) return;
      const before = target.stateDict();
      target.loadStateDict(state);
      undos.push(() => target.loadStateDict(before));
    };
    try {
      restore("optimizer", context.optimizer, optimizerState(plan.checkpoint));
      restore("scheduler", context.scheduler, schedulerState(plan.checkpoint));
    } catch (error) {
      undo();
      throw error;
    }
    return { values: plan.values, metadata: trainingState(plan.checkpoint), undo };
  }

  protected override loaded(context: CheckpointContext): CheckpointContext {
    return context;
  }
}
