import type { Finding, MapNode, PathKey, Tree } from "@ckptkit/core";
import { quoted } from "../quoted.js";

/** A place that holds others, while the tree is put together. */
type Branch = Map<PathKey, Branch | Leaf>;
/** Wrapped, so that a value is told from a branch. */
interface Leaf {
  readonly tree: Tree;
}

/**
 * The nested state dict that a planner had flattened: every item at its keys, integers from 0 on being the indices of a list.
 * Items without keys, or whose keys lead through another item, stand at the root under their names.
 *
 * @see https://github.com/pytorch/pytorch torch/distributed/checkpoint/_nested_dict.py, unflatten_state_dict
 */
export function nestedTree(
  items: readonly (readonly [name: string, tree: Tree])[],
  paths: ReadonlyMap<string, readonly PathKey[]>,
  findings: Finding[],
): MapNode {
  const root: Branch = new Map();
  for (const [name, tree] of items) {
    const path = paths.get(name);
    if (path && place(root, path, { tree })) continue;
    if (path) {
      const message = `The item ${quoted(name)} stands where another one does: it is shown under its name.`;
      findings.push({ rule: "dcp-planner-data", severity: "warning", message, at: name });
    }
    root.set(name, { tree });
  }
  // What Module.state_dict() gave is saved flat, and shown as what it was.
  const isFlat = items.every(([name]) => (paths.get(name) ?? [name]).length === 1);
  return mapOf(root, isFlat ? "collections.OrderedDict" : "dict");
}

function place(root: Branch, path: readonly PathKey[], leaf: Leaf): boolean {
  let at = root;
  for (const key of path.slice(0, -1)) {
    const next = at.get(key) ?? new Map();
    if (!(next instanceof Map)) return false;
    at.set(key, next);
    at = next;
  }
  const last = path.at(-1) ?? "";
  if (at.has(last)) return false;
  at.set(last, leaf);
  return true;
}

const treeOf = (value: Branch | Leaf): Tree => {
  if (!(value instanceof Map)) return value.tree;
  const isList = value.size > 0 && [...value.keys()].every((key) => typeof key === "number" && key < value.size);
  if (!isList) return mapOf(value, "dict");
  const ordered = [...value].sort(([a], [b]) => Number(a) - Number(b));
  return { kind: "list", type: "list", items: ordered.map(([, item]) => treeOf(item)) };
};

const mapOf = (branch: Branch, type: string): MapNode => ({
  kind: "map",
  type,
  entries: [...branch].map(([key, value]): [Tree, Tree] => [key, treeOf(value)]),
});
