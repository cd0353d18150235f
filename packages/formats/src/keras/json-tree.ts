import type { Json, Limits, Tree } from "@ckptkit/core";

/**
 * Parses JSON that a file holds; undefined when it is none, or nests deeper than the limit `treeDepth`, which what walks it could not bear.
 */
export function parseJson(text: string, limits: Limits): Json | undefined {
  if (depthOf(text) > limits.treeDepth) return undefined;
  try {
    return JSON.parse(text) as Json; // what JSON.parse gives is JSON
  } catch {
    return undefined;
  }
}

/** Lists and objects within each other, brackets in strings not counted. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isString) {
      if (character === "\\") at++;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}

/** JSON as a tree: objects as maps, arrays as lists. */
export function jsonTree(json: Json): Tree {
  if (typeof json !== "object" || json === null) return json;
  if (isArray(json)) return { kind: "list", type: "list", items: json.map(jsonTree) };
  return { kind: "map", type: "dict", entries: Object.entries(json).map(([key, value]): [Tree, Tree] => [key, jsonTree(value)]) };
}

/** `Array.isArray` does not narrow read-only arrays. */
const isArray = (json: Json): json is readonly Json[] => Array.isArray(json);
