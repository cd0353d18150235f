import { type Finding, isNode, type Limits, type PathKey, type TensorSpec, type Tree, type TreeNode } from "@ckptkit/core";
import { keyText } from "./key-text.js";

/** One reference to a tensor. */
export interface FoundTensor {
  keys: PathKey[];
  tensor: TensorSpec;
}

/** Under these keys stand the parts of an opaque object that have no names of their own. */
export const ARGUMENTS_KEY = "__args__";
export const STATE_KEY = "__state__";

/**
 * Lists every reference to a tensor in a tree, in its order: through maps by their keys, lists by their indices, and objects
 * by their attributes. Sets are not entered, for their members have no place. A tensor that stands in two places is listed
 * twice; a cycle is followed once.
 *
 * @param findings gets `tree-budget` when the limit `treeVisits` ends the walk early.
 */
export function findTensors(tree: Tree, limits: Limits, findings: Finding[]): FoundTensor[] {
  const found: FoundTensor[] = [];
  const open = new Set<TreeNode>();
  const keys: PathKey[] = [];
  let visits = 0;
  const barren = new Set<TreeNode>(); // nodes below which no tensor was found: shared ones need one visit only

  /** Returns whether the walk below was complete and found nothing. */
  const visit = (value: Tree): boolean => {
    if (!isNode(value) || barren.has(value)) return true;
    if (open.has(value)) return false;
    if (++visits > limits.treeVisits) return false;
    if (value.kind === "tensor") {
      found.push({ keys: [...keys], tensor: value.tensor });
      return false;
    }
    open.add(value);
    let empty = true;
    for (const [key, child] of childrenOf(value)) {
      if (!isNode(child)) continue;
      keys.push(key);
      if (!visit(child)) empty = false;
      keys.pop();
    }
    open.delete(value);
    if (empty) barren.add(value);
    return empty;
  };

  visit(tree);
  if (visits > limits.treeVisits) {
    findings.push({
      rule: "tree-budget",
      severity: "error",
      message: `The object graph was followed over ${limits.treeVisits} steps and is not at its end; tensors beyond that are not listed.`,
    });
  }
  return found;
}

/** The named parts of a node, in order. */
export function* childrenOf(node: TreeNode): Generator<[PathKey, Tree]> {
  switch (node.kind) {
    case "map":
      // Not its attributes: `_metadata` of a state dict has no place among the keys.
      for (const [key, value] of node.entries) yield [pathKey(key), value];
      return;
    case "list":
      if (node.type === "set" || node.type === "frozenset") return;
      yield* node.items.entries();
      return;
    case "object":
      if (node.args) yield [ARGUMENTS_KEY, { kind: "list", type: "tuple", items: node.args }];
      for (const [key, value] of node.attributes?.entries ?? []) yield [pathKey(key), value];
      if (node.state !== undefined) yield [STATE_KEY, node.state];
      yield* (node.items ?? []).entries();
      for (const [key, value] of node.entries ?? []) yield [pathKey(key), value];
      return;
  }
}

const pathKey = (key: Tree): PathKey =>
  typeof key === "string" || (typeof key === "number" && Number.isInteger(key)) ? key : keyText(key);
