import { asNumber, type Checkpoint, getEntry, isNode, type Layout, type TensorHandle, type Tree } from "@ckptkit/core";
import { findStateDict } from "@ckptkit/formats";

type Entries = [Tree, Tree][];

/** Lightning's own floor for checkpoints that its loader need not migrate. */
const LIGHTNING_VERSION = "2.0.0";

const STATE_DICT_KEYS = ["state_dict", "model_state_dict", "model"];
const OPTIMIZERS = { lightning: "optimizer_states", pytorch: "optimizer_state_dict" } as const;
const SCHEDULERS = { lightning: "lr_schedulers", pytorch: "scheduler_state_dict" } as const;

/**
 * Arranges what is to be written the way a training framework expects it: the model's weights alone, or with `all` the
 * optimizers, schedulers and other values too.
 *
 * @param tensors the tensors that were chosen; `whole` tells that they are all of the model.
 */
export function arrangeTree(checkpoint: Checkpoint, tensors: readonly TensorHandle[], layout: Layout, all: boolean, whole: boolean): Tree {
  if (layout === "state_dict") return all ? flatTree(tensors, ({ path }) => path) : stateDictTree(checkpoint, tensors, whole);
  const weights = stateDictTree(
    checkpoint,
    tensors.filter(({ group }) => group === "model"),
    whole,
  );
  const rest = all ? restOf(checkpoint.tree) : new Map<Tree, Tree>();
  if (layout === "pytorch") return map([["model_state_dict", weights], ...pytorchEntries(rest)]);
  return map([...lightningHead(checkpoint.tree), ["state_dict", weights], ...lightningEntries(rest)]);
}

const map = (entries: Entries): Tree => {
  const seen = new Map<Tree, Tree>();
  for (const [key, value] of entries) if (!seen.has(key)) seen.set(key, value);
  return { kind: "map", type: "dict", entries: [...seen] };
};

const flatTree = (tensors: readonly TensorHandle[], name: (tensor: TensorHandle) => string): Tree => ({
  kind: "map",
  type: "collections.OrderedDict",
  entries: tensors.map((tensor) => [name(tensor), { kind: "tensor", tensor: tensor.spec }]),
});

/** The state dict as the file has it, so that packed values and `_metadata` stay; or the chosen tensors by their names. */
function stateDictTree(checkpoint: Checkpoint, tensors: readonly TensorHandle[], whole: boolean): Tree {
  const found = whole ? findStateDict(checkpoint.tree) : undefined;
  return found ? { ...found.tree, type: "collections.OrderedDict" } : flatTree(tensors, ({ name }) => name);
}

/** Top-level values besides the model's weights. */
function restOf(tree: Tree): Map<Tree, Tree> {
  if (!isNode(tree) || tree.kind !== "map") return new Map();
  const weights = findStateDict(tree)?.keys;
  if (weights?.length === 0) return new Map();
  return new Map(tree.entries.filter(([key]) => key !== weights?.[0] && !STATE_DICT_KEYS.includes(String(key))));
}

/** What Lightning needs to load weights by themselves. */
function lightningHead(tree: Tree): Entries {
  const version = getEntry(tree, "pytorch-lightning_version");
  const kept = ["hparams_name", "hyper_parameters"].map((key): [Tree, Tree | undefined] => [key, getEntry(tree, key)]);
  return [
    ["epoch", asNumber(getEntry(tree, "epoch")) ?? 0],
    ["global_step", asNumber(getEntry(tree, "global_step")) ?? 0],
    ["pytorch-lightning_version", typeof version === "string" ? version : LIGHTNING_VERSION],
    ...kept.filter((entry): entry is [Tree, Tree] => entry[1] !== undefined),
  ];
}

/** Lightning keeps lists of optimizers and schedulers, where a plain checkpoint keeps one of each. */
function lightningEntries(rest: ReadonlyMap<Tree, Tree>): Entries {
  return [...rest].map(([key, value]): [Tree, Tree] => {
    const list = (): Tree => ({ kind: "list", type: "list", items: [value] });
    if (key === OPTIMIZERS.pytorch) return [OPTIMIZERS.lightning, list()];
    if (key === SCHEDULERS.pytorch) return [SCHEDULERS.lightning, list()];
    return [key, value];
  });
}

function pytorchEntries(rest: ReadonlyMap<Tree, Tree>): Entries {
  return [...rest].map(([key, value]): [Tree, Tree] => {
    const single = isNode(value) && value.kind === "list" && value.items.length === 1 ? value.items[0] : undefined;
    if (key === OPTIMIZERS.lightning && single !== undefined) return [OPTIMIZERS.pytorch, single];
    if (key === SCHEDULERS.lightning && single !== undefined) return [SCHEDULERS.pytorch, single];
    return [key, value];
  });
}
