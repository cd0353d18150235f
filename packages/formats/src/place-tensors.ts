import { type PathKey, type TensorGroup, TensorHandle, type Tree } from "@ckptkit/core";
import { findStateDict } from "./layout.js";
import type { FoundTensor } from "./walk-tensors.js";

/** Top-level keys under which optimizers are saved. */
const OPTIMIZER_KEYS = new Set(["optimizer_states", "optimizer_state_dict", "optimizer_state", "optimizer", "optimizers", "optim", "opt"]);

/** Attributes under which torch.nn.Module keeps its own tensors and its children. */
const MODULE_STEPS: ReadonlySet<PathKey> = new Set(["_modules", "_parameters", "_buffers"]);

/** Gives every tensor its name and group. @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS */
export function placeTensors(tree: Tree, found: readonly FoundTensor[]): TensorHandle[] {
  const stateDict = findStateDict(tree);
  return found.map(({ keys, tensor }) => {
    const first = keys[0];
    if (stateDict?.keys.every((key, index) => keys[index] === key)) {
      return new TensorHandle(tensor, { keys, name: nameOf(keys.slice(stateDict.keys.length)), group: "model" });
    }
    if (!stateDict && isModuleTensor(keys)) return new TensorHandle(tensor, { keys, name: nameInModule(keys), group: "model" });
    const group: TensorGroup = typeof first === "string" && OPTIMIZER_KEYS.has(first) ? "optimizer" : "other";
    return new TensorHandle(tensor, { keys, name: nameOf(keys), group });
  });
}

/** Keys joined with '.'. */
const nameOf = (keys: readonly PathKey[]): string => (keys.length === 1 ? String(keys[0]) : keys.join("."));

/** Whether a path leads through a pickled torch.nn.Module that is the root, or stands under `model`. */
function isModuleTensor(keys: readonly PathKey[]): boolean {
  const from = MODULE_STEPS.has(keys[0] ?? "") ? 0 : keys[0] === "model" || keys[0] === "state_dict" ? 1 : -1;
  if (from < 0 || keys.length - from < 2) return false;
  const owner = keys.at(-2);
  if (owner !== "_parameters" && owner !== "_buffers") return false;
  for (let at = from; at < keys.length - 2; at += 2) if (keys[at] !== "_modules") return false;
  return true;
}

/** `model._modules.conv._parameters.weight` -> `conv.weight`, as the module's own state_dict() names it. */
function nameInModule(keys: readonly PathKey[]): string {
  const from = MODULE_STEPS.has(keys[0] ?? "") ? 0 : 1;
  return keys.filter((_, index) => index >= from && (index - from) % 2 === 1).join(".");
}
