import type { Finding, Json, MapNode, PathKey, Tree } from "@ckptkit/core";
import { quoted } from "../quoted.js";
import type { ArrayDescription } from "./array.js";
import type { ArrayContext } from "./chunk-reader.js";
import { isObject, type JsonObject } from "./json.js";
import { arrayTensor } from "./tensor.js";

/** An array in the tree: a tensor, or what is known of one whose numbers are not read here, with a finding. */
export function arrayTree(description: ArrayDescription, prefix: string, name: string, context: ArrayContext, findings: Finding[]): Tree {
  const { array, unknown, type, shape, attributes } = description;
  if (array) return { kind: "tensor", tensor: arrayTensor(array, prefix, name, context) };
  findings.push({
    rule: "zarr-not-read",
    severity: "warning",
    message: `The array ${quoted(name)} is stored with ${unknown}, which is not read here: its values are not shown.`,
    at: name,
  });
  const entries: [Tree, Tree][] = [
    ["dtype", type],
    ["shape", { kind: "list", type: "tuple", items: [...shape] }],
  ];
  if (Object.keys(attributes).length > 0) entries.push(["attributes", jsonTree(attributes)]);
  return { kind: "object", type: "zarr.Array", attributes: { kind: "map", type: "dict", entries } };
}

/** Values of JSON as a tree. Their nesting is bounded by JSON.parse. */
export function jsonTree(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: "list", type: "list", items: value.map(jsonTree) };
  if (isObject(value)) {
    return { kind: "map", type: "dict", entries: Object.entries(value).map(([key, one]): [Tree, Tree] => [key, jsonTree(one)]) };
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}

/** Attributes as what metadata hold. They came from JSON. */
export const attributesJson = (attributes: JsonObject): Json => attributes as { readonly [key: string]: Json };

/** A nested map that is put together by paths. */
export class PathTree {
  readonly #root: Branch = new Map();

  /** Makes sure that there is a map at a path. Returns it; undefined when something else stands on the way. */
  branch(path: readonly PathKey[]): Branch | undefined {
    let at = this.#root;
    for (const step of path) {
      const next = at.get(step) ?? new Map();
      if (!(next instanceof Map)) return undefined;
      at.set(step, next);
      at = next;
    }
    return at;
  }

  /** Puts a value at a path. Returns false when something stands there, or on the way. */
  place(path: readonly PathKey[], value: Tree): boolean {
    const last = path.at(-1);
    const parent = this.branch(path.slice(0, -1));
    if (last === undefined || !parent || parent.has(last)) return false;
    parent.set(last, { tree: value });
    return true;
  }

  tree(): MapNode {
    return mapOf(this.#root);
  }
}

/** A map that others stand in, and a value that is told from one. */
type Branch = Map<PathKey, Branch | { readonly tree: Tree }>;

const mapOf = (branch: Branch): MapNode => ({
  kind: "map",
  type: "dict",
  entries: [...branch].map(([key, value]): [Tree, Tree] => [key, value instanceof Map ? mapOf(value) : value.tree]),
});
