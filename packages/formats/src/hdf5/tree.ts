import type { Finding, Limits, MapNode, PathKey, Tree } from "@ckptkit/core";
import type { FoundTensor } from "../walk-tensors.js";
import type { Attributes } from "./attributes.js";
import type { Hdf5Group, Hdf5Member } from "./walk.js";

/** A file as inert data. */
export interface Hdf5Tree {
  readonly tree: MapNode;
  /** Every name of every tensor, in the order of the tree. */
  readonly tensors: readonly FoundTensor[];
  /** Attributes of groups and datasets by their paths, the root's left out; empty ones, too. */
  readonly attributes: ReadonlyMap<string, Attributes>;
}

/** The groups as maps within each other, with their attributes. */
export function treeOf(root: Hdf5Group): Hdf5Tree {
  const tensors: FoundTensor[] = [];
  const attributes = new Map<string, Attributes>();
  // Groups nest no deeper than the limit treeDepth allows, and each is entered once.
  const group = ({ members, attributes: own }: Hdf5Group, keys: readonly PathKey[]): MapNode => {
    note(keys, own);
    const entries = [...members].map(([name, member]): [Tree, Tree] => [name, memberTree(member, [...keys, name])]);
    return { kind: "map", type: "dict", entries, ...(own.size > 0 ? { attributes: mapOf(own) } : {}) };
  };
  const note = (keys: readonly PathKey[], own: Attributes): void => {
    if (keys.length > 0 && own.size > 0) attributes.set(keys.join("/"), own);
  };
  const memberTree = (member: Hdf5Member, keys: PathKey[]): Tree => {
    if (member.kind === "group") return group(member, keys);
    if (member.kind === "link") return linkTree(member.link);
    note(keys, member.attributes);
    if (member.tensor) tensors.push({ keys, tensor: member.tensor });
    return member.tree;
  };
  return { tree: group(root, []), tensors, attributes };
}

const mapOf = (attributes: Attributes): MapNode => ({ kind: "map", type: "dict", entries: [...attributes] });

/** A link that is not followed: where it leads. */
function linkTree({ kind, file, target }: Extract<Hdf5Member, { kind: "link" }>["link"]): Tree {
  const entries: [Tree, Tree][] = [];
  if (file !== undefined) entries.push(["file", file]);
  if (target !== undefined) entries.push(["path", target]);
  const type = { hard: "hdf5.HardLink", soft: "hdf5.SoftLink", external: "hdf5.ExternalLink", user: "hdf5.UserLink" }[kind];
  return { kind: "object", type, attributes: { kind: "map", type: "dict", entries } };
}

/** Tensors that are stored in the same bytes, which no writer does. */
export function overlaps(root: Hdf5Group, limits: Limits): Finding[] {
  const extents: { start: number; end: number; path: string; member: Hdf5Member }[] = [];
  const visit = (group: Hdf5Group, above: string): void => {
    for (const [name, member] of group.members) {
      const path = above === "" ? name : `${above}/${name}`;
      if (member.kind === "group") visit(member, path);
      else if (member.kind === "dataset" && member.extent && extents.length < limits.tensors)
        extents.push({ ...member.extent, path, member });
    }
  };
  visit(root, "");
  let before: (typeof extents)[number] | undefined;
  for (const extent of extents.sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (before && extent.start < before.end && extent.member !== before.member) {
      const message = `The arrays ${JSON.stringify(before.path.slice(0, 200))} and ${JSON.stringify(extent.path.slice(0, 200))} share bytes of the file.`;
      return [{ rule: "hdf5-overlap", severity: "error", message, at: extent.path }];
    }
    if (!before || extent.end > before.end) before = extent;
  }
  return [];
}
