import { type Checkpoint, getEntry, isNode, type Json, type SignalOptions, TensorHandle, type Tree } from "@ckptkit/core";
import { describeTree } from "@ckptkit/formats";
import { castTensor } from "../tensors/cast.js";

/** Where the states of the first optimizer and scheduler stand: Lightning's lists, and what plain training scripts write. */
const OPTIMIZER_KEYS = ["optimizer_states", "optimizer_state_dict", "optimizer"];
const SCHEDULER_KEYS = ["lr_schedulers", "scheduler_state_dict", "lr_scheduler", "scheduler"];

/** The state of the first optimizer of a checkpoint; undefined when it has none. */
export const optimizerState = ({ tree }: Checkpoint): Tree | undefined => firstOf(tree, OPTIMIZER_KEYS);

/** The state of the first scheduler of a checkpoint; undefined when it has none. */
export const schedulerState = ({ tree }: Checkpoint): Tree | undefined => firstOf(tree, SCHEDULER_KEYS);

function firstOf(tree: Tree, keys: readonly string[]): Tree | undefined {
  for (const key of keys) {
    const value = getEntry(tree, key);
    const first = isNode(value) && value.kind === "list" ? value.items[0] : value;
    if (isNode(first) && first.kind === "map") return first;
  }
  return undefined;
}

/** How far a training had come: names here, and the keys of checkpoints that stand for them. */
const TRAINING_STATE: Readonly<Record<string, readonly string[]>> = {
  epoch: ["epoch"],
  global_step: ["global_step", "step", "iteration"],
  best_metric: ["best_metric", "checkpoint_callback_best_model_score", "checkpoint_callback_best"],
  metrics_history: ["metrics_history"],
};

/** The training state of a checkpoint, as plain JSON: `epoch`, `global_step`, `best_metric`, `metrics_history`, as far as it has them. */
export function trainingState({ tree }: Checkpoint): { [key: string]: Json } {
  const state: { [key: string]: Json } = {};
  for (const [name, keys] of Object.entries(TRAINING_STATE)) {
    for (const key of keys) {
      const described = describeTree({ kind: "map", type: "dict", entries: entryOf(tree, key) })[key];
      if (described === undefined) continue;
      state[name] = described;
      break;
    }
  }
  return state;
}

function entryOf(tree: Tree, key: string): [Tree, Tree][] {
  const value = getEntry(tree, key);
  return value === undefined ? [] : [[key, value]];
}

/** The best score that Lightning's ModelCheckpoint has kept, which is a tensor and must be read; undefined when there is none. */
export async function bestModelScore({ tree }: Checkpoint, options: SignalOptions): Promise<number | undefined> {
  const callbacks = getEntry(tree, "callbacks");
  if (!isNode(callbacks) || callbacks.kind !== "map") return undefined;
  const state = callbacks.entries.find(([key]) => typeof key === "string" && key.startsWith("ModelCheckpoint"))?.[1];
  const score = getEntry(state, "best_model_score");
  if (!isNode(score) || score.kind !== "tensor" || score.tensor.shape.length > 0) return undefined;
  const tensor = new TensorHandle(score.tensor, { keys: ["best_model_score"], name: "best_model_score", group: "other" });
  const real = castTensor(tensor, "F64");
  if (!real) return undefined;
  const bytes = new Uint8Array(real.byteLength);
  await real.readInto(bytes, 0, options);
  return new DataView(bytes.buffer).getFloat64(0, true);
}
