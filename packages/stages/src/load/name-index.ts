import { type Checkpoint, getEntry, isNode, type Json, type Tree } from "@ckptkit/core";
import { describeTree } from "@ckptkit/formats";

/** Where Lightning has kept hyper-parameters. @see lightning/pytorch/core/saving.py, CHECKPOINT_PAST_HPARAMS_KEYS */
const HYPER_PARAMETERS = ["hyper_parameters", "hparams", "module_arguments"];

/** How deep in the hyper-parameters the map is looked for: `data_indices.<dataset>.name_to_index` is the deepest known. */
const DEPTH = 4;

/**
 * The map from the names of variables to their places in a model's inputs, which weather models keep in their hyper-parameters
 * (`data_indices.name_to_index`); undefined when there is none.
 */
export function nameToIndex({ tree }: Checkpoint): Json | undefined {
  for (const key of HYPER_PARAMETERS) {
    const found = find(getEntry(tree, key), DEPTH);
    if (found !== undefined) return describeTree(found);
  }
  return undefined;
}

function find(tree: Tree | undefined, depth: number): Tree | undefined {
  if (!isNode(tree) || depth === 0) return undefined;
  const own = getEntry(tree, "name_to_index");
  if (isNode(own) && own.kind === "map") return own;
  const entries = tree.kind === "map" ? tree.entries : tree.kind === "object" ? (tree.attributes?.entries ?? []) : [];
  for (const [, value] of entries) {
    const found = find(value, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
