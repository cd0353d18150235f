import { isNode, type MapNode, type ObjectNode, type TensorSpec, type Tree, type TreeNode } from "@ckptkit/core";

/**
 * A tree without some of its tensors: entries of maps are left out, items of lists become `null`, so that the others keep their places.
 * What does not change is shared; a node that stands in several places still does.
 *
 * @param isLost tells of every tensor whether it goes.
 */
export function pruneTree(tree: Tree, isLost: (spec: TensorSpec) => boolean): Tree {
  const made = new Map<TreeNode, Tree>();

  const value = (part: Tree): Tree => (isNode(part) ? node(part) : part);
  const isGone = (part: Tree): boolean => isNode(part) && part.kind === "tensor" && isLost(part.tensor);
  const items = (parts: readonly Tree[]): Tree[] => parts.map((part) => (isGone(part) ? null : value(part)));
  const entries = (parts: MapNode["entries"]): [Tree, Tree][] =>
    parts.filter(([, part]) => !isGone(part)).map(([key, part]) => [key, value(part)]);

  /** Remembered before its members are made: they may refer back to it. */
  const node = (part: TreeNode): Tree => {
    const known = made.get(part);
    if (known !== undefined) return known;
    switch (part.kind) {
      case "map": {
        const copy = { ...part, entries: [] as [Tree, Tree][] }; // filled below, which the type does not allow
        made.set(part, copy);
        copy.entries = entries(part.entries);
        if (part.attributes) copy.attributes = { ...part.attributes, entries: entries(part.attributes.entries) };
        return copy;
      }
      case "list": {
        const copy = { ...part, items: [] as Tree[] }; // as above
        made.set(part, copy);
        copy.items = items(part.items);
        return copy;
      }
      case "object":
        return object(part);
      case "tensor":
        return isLost(part.tensor) ? null : part;
      default:
        return part;
    }
  };

  const object = (part: ObjectNode): Tree => {
    const copy: { -readonly [key in keyof ObjectNode]: ObjectNode[key] } = { ...part };
    made.set(part, copy);
    if (part.args) copy.args = items(part.args);
    if (part.attributes) copy.attributes = { ...part.attributes, entries: entries(part.attributes.entries) };
    if (part.state !== undefined) copy.state = value(part.state);
    if (part.items) copy.items = items(part.items);
    if (part.entries) copy.entries = entries(part.entries);
    return copy;
  };

  return value(tree);
}
