import { type Finding, isNode, type Layout, type Limits, type PathKey, type TensorGroup, TensorHandle, type Tree } from "@ckptkit/core";
import { findTensors } from "./walk-tensors.js";

/** Where a training state of Flax keeps the model's parameters, and other collections of its variables. */
const PARAMETERS = "params";
const MODEL_KEYS: ReadonlySet<PathKey> = new Set([PARAMETERS, "batch_stats", "model", "graphdef", "constants", "cache"]);
/** Where it keeps what the optimizer remembers. */
const OPTIMIZER_KEYS: ReadonlySet<PathKey> = new Set(["opt_state", "optimizer", "optimizer_state", "opt"]);
/** What else stands at the root of a training state. */
const STATE_KEYS: ReadonlySet<PathKey> = new Set(["step", "rng", "key", "epoch", "ema_params"]);

/** The tensors of a tree that Flax or Orbax saved, with names and groups. */
export interface JaxTensors {
  readonly tensors: TensorHandle[];
  readonly layout: Layout;
}

/**
 * Lists the tensors of a tree as Flax and Orbax save them: a training state with `params` and `opt_state`, or the variables of a
 * model alone. Names of parameters begin below `params`.
 *
 * @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS
 */
export function placeJaxTensors(tree: Tree, limits: Limits, findings: Finding[]): JaxTensors {
  const found = findTensors(tree, limits, findings);
  const roots = new Set(isNode(tree) && tree.kind === "map" ? tree.entries.map(([key]) => key) : []);
  const isState = [...OPTIMIZER_KEYS, "step"].some((key) => roots.has(key));
  const hasModel = [...MODEL_KEYS].some((key) => roots.has(key));
  const groupOf = (first: PathKey | undefined): TensorGroup => {
    if (first !== undefined && OPTIMIZER_KEYS.has(first)) return "optimizer";
    if (first === undefined || (hasModel ? MODEL_KEYS.has(first) : !STATE_KEYS.has(first))) return "model";
    return "other";
  };
  // Without the step that all parameters share, unless a name would then be that of another collection.
  const below = new Set(found.filter(({ keys }) => keys[0] === PARAMETERS).map(({ keys }) => keys[1]));
  const isShort = !below.has(undefined) && ![...below].some((key) => roots.has(key ?? null));
  const tensors = found.map(({ keys, tensor }) => {
    const named = isShort && keys[0] === PARAMETERS ? keys.slice(1) : keys;
    return new TensorHandle(tensor, { keys, name: named.join("."), group: groupOf(keys[0]) });
  });
  return { tensors, layout: isState ? "pytorch" : "state_dict" };
}
