import { asNumber, isNode, type PathKey, type Tree } from "@ckptkit/core";
import type { ValueTruth } from "@ckptkit/testkit";
import { keyText } from "../src/key-text.js";

/** The plain value at a place of a tree, and its Python type, as the manifest writes them; undefined when there is none. */
export function valueAt(tree: Tree, keys: readonly PathKey[]): Pick<ValueTruth, "type" | "value"> | undefined {
  let at: Tree | undefined = tree;
  for (const key of keys) at = at === undefined ? undefined : childAt(at, key);
  return at === undefined ? undefined : plainValue(at);
}

function childAt(tree: Tree, key: PathKey): Tree | undefined {
  if (!isNode(tree)) return undefined;
  if (tree.kind === "list") return tree.items[Number(key)];
  const entries =
    tree.kind === "map" ? tree.entries : tree.kind === "object" ? [...(tree.attributes?.entries ?? []), ...(tree.entries ?? [])] : [];
  const found = entries.find(([name]) => name === key || (typeof key === "string" && typeof name !== "string" && keyText(name) === key));
  if (found) return found[1];
  return tree.kind === "object" && tree.items ? tree.items[Number(key)] : undefined;
}

function plainValue(tree: Tree): Pick<ValueTruth, "type" | "value"> | undefined {
  if (tree === null) return { type: "NoneType", value: null };
  if (typeof tree === "boolean") return { type: "bool", value: tree };
  if (typeof tree === "string") return { type: "str", value: tree };
  if (typeof tree === "bigint") return { type: "int", value: String(tree) };
  if (typeof tree === "number") return Number.isInteger(tree) ? { type: "int", value: tree } : { type: "float", value: realOf(tree) };
  if (tree instanceof Uint8Array) return { type: "bytes", value: [...tree].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
  if (tree.kind === "real") return { type: "float", value: tree.value };
  if (tree.kind === "object" && tree.type === "builtins.complex") {
    const [real, imaginary] = (tree.args ?? []).map(asNumber);
    return real === undefined || imaginary === undefined ? undefined : { type: "complex", value: [real, imaginary] };
  }
  return undefined;
}

const realOf = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
