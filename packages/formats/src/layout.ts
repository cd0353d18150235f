import { CheckpointValidationError, isNode, type Layout, type PathKey, type Tree } from "@ckptkit/core";
import { keyText } from "./key-text.js";

/** Keys by which Lightning's checkpoints are told: the first alone is enough, of the others two. */
const LIGHTNING_VERSION_KEY = "pytorch-lightning_version";
const LIGHTNING_KEYS = ["callbacks", "optimizer_states", "lr_schedulers", "loops"];
const PYTORCH_KEYS = ["model_state_dict", "optimizer_state_dict", "scheduler_state_dict"];

/** Where a state dict is looked for, in this order. */
const STATE_DICT_KEYS = ["state_dict", "model_state_dict", "model"];

type MapTree = Extract<Tree, { kind: "map" }>;

const isMap = (tree: Tree | undefined): tree is MapTree => isNode(tree) && tree.kind === "map";
const isTensor = (tree: Tree): boolean =>
  isNode(tree) && (tree.kind === "tensor" || (tree.kind === "object" && /^torch\.(?:sparse_|nested_tensor)/.test(tree.type)));
const holdsTensorsOnly = (tree: Tree | undefined): boolean =>
  isMap(tree) && tree.entries.length > 0 && tree.entries.every(([, value]) => isTensor(value));

/** How the training framework arranged a tree, by its top-level keys. */
export function detectLayout(tree: Tree): Layout {
  if (!isMap(tree)) return "pytorch";
  const keys = new Set(tree.entries.map(([key]) => key));
  if (keys.has(LIGHTNING_VERSION_KEY) || LIGHTNING_KEYS.filter((key) => keys.has(key)).length >= 2) return "lightning";
  if (PYTORCH_KEYS.some((key) => keys.has(key))) return "pytorch";
  return holdsTensorsOnly(tree) ? "state_dict" : "pytorch";
}

/** A state dict within a tree, and the keys that lead to it. */
export interface StateDict {
  keys: readonly PathKey[];
  tree: MapTree;
}

/**
 * Finds the model's state dict: under `state_dict`, `model_state_dict` or `model`, or the root itself when it is what
 * `Module.state_dict()` returns.
 */
export function findStateDict(tree: Tree): StateDict | undefined {
  if (!isMap(tree)) return undefined;
  for (const key of STATE_DICT_KEYS) {
    const value = tree.entries.find(([name]) => name === key)?.[1];
    if (isMap(value) && value.entries.length > 0) return { keys: [key], tree: value };
  }
  // An OrderedDict with a tensor in it: quantised modules put packed tuples and dtypes beside the tensors.
  const ordered = tree.type === "collections.OrderedDict" && tree.entries.some(([, value]) => isTensor(value));
  return holdsTensorsOnly(tree) || ordered ? { keys: [], tree } : undefined;
}

/**
 * The model's state dict of a tree.
 *
 * @throws {CheckpointValidationError} NO_STATE_DICT with the first ten keys that were found
 * @example const weights = extractStateDict(checkpoint.tree);
 */
export function extractStateDict(tree: Tree): StateDict {
  const found = findStateDict(tree);
  if (found) return found;
  const keys = isMap(tree) ? tree.entries.slice(0, 10).map(([key]) => keyText(key)) : [];
  throw new CheckpointValidationError(
    "NO_STATE_DICT",
    `No state dict was found: ${STATE_DICT_KEYS.map((key) => `"${key}"`).join(", ")} were looked for, and the root is not a map of tensors only. ${keys.length > 0 ? `Keys found: ${keys.join(", ")}${isMap(tree) && tree.entries.length > 10 ? " ..." : ""}.` : "The root is not a map."}`,
    { details: { keys }, suggestions: ["Convert every tensor with --all, or choose some with --filter."] },
  );
}
