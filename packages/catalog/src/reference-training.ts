import { type Checkpoint, CheckpointIncompatibleError, getEntry, isNode, type Tree } from "@ckptkit/core";
import type { CheckpointContext, ModelAdapter, StageLike, Stateful } from "@ckptkit/core/pipeline";
import { ReferenceModel, ReferenceOptimizer, ReferenceScheduler } from "@ckptkit/stages/model";

/** Where the first optimizer and scheduler keep their states: Lightning's lists, and what plain training scripts write. */
const OPTIMIZER_KEYS = ["optimizer_states", "optimizer_state_dict", "optimizer"];
const SCHEDULER_KEYS = ["lr_schedulers", "scheduler_state_dict", "lr_scheduler", "scheduler"];

/**
 * The context of a loader in a pipeline that comes from configuration. Where no program brings a model, it is made from the
 * checkpoint; and such a model gets an optimizer and a scheduler that can take the states that the checkpoint has, so that a warm
 * start has something to load them into, and a save has them to write. Other loaders drop them.
 */
export function contextForLoader(stage: StageLike, context: CheckpointContext): CheckpointContext {
  const { checkpoint } = context;
  if (stage.kind !== "loader" || !checkpoint) return context;
  const { model = ReferenceModel.like(checkpoint, { kernels: context.kernels }) } = context;
  // A model of a framework comes with its own.
  if (!(model instanceof ReferenceModel) || model.weightsInitialized || context.optimizer) return context.with({ model });
  return context.with({ model, ...trainingOf(checkpoint, model) });
}

function trainingOf({ tree }: Checkpoint, model: ModelAdapter): { optimizer?: Stateful; scheduler?: Stateful } {
  const state = firstOf(tree, OPTIMIZER_KEYS);
  const optimizer = new ReferenceOptimizer(model);
  if (!state || !takes(optimizer, state)) return {};
  const schedule = firstOf(tree, SCHEDULER_KEYS);
  const scheduler = new ReferenceScheduler(optimizer);
  const fresh = new ReferenceOptimizer(model); // the ones above have been filled by the trial
  return { optimizer: fresh, ...(schedule && takes(scheduler, schedule) && { scheduler: new ReferenceScheduler(fresh) }) };
}

/** Whether a state fits. One of several parameter groups does not: which parameters were in which, no file tells. */
function takes(target: Stateful, state: Tree): boolean {
  try {
    target.loadStateDict(state);
    return true;
  } catch (error) {
    if (error instanceof CheckpointIncompatibleError) return false;
    throw error;
  }
}

function firstOf(tree: Tree, keys: readonly string[]): Tree | undefined {
  for (const key of keys) {
    const value = getEntry(tree, key);
    const first = isNode(value) && value.kind === "list" ? value.items[0] : value;
    if (isNode(first) && first.kind === "map") return first;
  }
  return undefined;
}
