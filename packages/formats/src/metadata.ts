import { isNode, type Json, type Tree } from "@ckptkit/core";
import { keyText } from "./key-text.js";

/** Byte strings up to this size are shown in base64, longer ones by their size. */
const BYTES_SHOWN = 256;
/** Values in all, so that a hostile or huge graph still gives a description of bounded size. */
const VALUES_SHOWN = 200_000;

/**
 * The non-tensor values of a tree as plain JSON. Maps and lists that hold nothing but tensors are left out. What JSON has
 * no form for keeps its meaning in a small object: `{"$type": "argparse.Namespace", ...}`, `{"$bytes": "..."}`,
 * `{"$float": "nan"}`, `{"$tensor": true}` in lists; integers beyond 2^53 - 1 are decimal strings.
 */
export function describeTree(tree: Tree): { readonly [key: string]: Json } {
  const described = new Describer().value(tree);
  if (described === undefined) return {};
  return isJsonObject(described) ? described : { value: described };
}

/** What stands in a list for a member that is a tensor, or holds tensors only. */
const TENSORS: Json = { $tensor: true };

const isJsonObject = (json: Json): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);

class Describer {
  readonly #open = new Set<object>();
  #left = VALUES_SHOWN;

  /** Undefined stands for a value that is a tensor, or holds tensors only. */
  value(tree: Tree): Json | undefined {
    if (--this.#left < 0) return "...";
    if (typeof tree === "bigint") return String(tree);
    if (typeof tree === "number") return Number.isFinite(tree) ? tree : { $float: String(tree).replace("Infinity", "inf").toLowerCase() };
    if (tree instanceof Uint8Array) return { $bytes: tree.length <= BYTES_SHOWN ? base64(tree) : tree.length };
    if (!isNode(tree)) return tree;
    if (tree.kind === "tensor") return undefined;
    if (tree.kind === "real") return tree.value;
    if (tree.kind === "global") return tree.name;
    if (this.#open.has(tree)) return { $ref: "cycle" };
    this.#open.add(tree);
    const described = this.#compound(tree);
    this.#open.delete(tree);
    return described;
  }

  #compound(tree: Extract<Tree, { kind: "map" | "list" | "object" }>): Json | undefined {
    if (tree.kind === "list") return this.#items(tree.items);
    if (tree.kind === "map") return this.#entries(tree.entries);
    const parts: [string, Json][] = [["$type", tree.type]];
    const add = (key: string, value: Json | undefined): void => {
      if (value !== undefined) parts.push([key, value]);
    };
    if (tree.args) add("$args", this.#items(tree.args));
    if (tree.state !== undefined) add("$state", this.value(tree.state));
    if (tree.items) add("$items", this.#items(tree.items));
    for (const [key, value] of [...(tree.attributes?.entries ?? []), ...(tree.entries ?? [])]) add(keyText(key), this.value(value));
    return fromPairs(parts);
  }

  #items(items: readonly Tree[]): Json | undefined {
    const shown = items.map((item) => this.value(item));
    if (items.length > 0 && shown.every((item) => item === undefined)) return undefined;
    return shown.map((item) => item ?? TENSORS); // keeps the places of the others
  }

  #entries(entries: readonly (readonly [Tree, Tree])[]): Json | undefined {
    const parts: [string, Json][] = [];
    for (const [key, entry] of entries) {
      const value = this.value(entry);
      if (value !== undefined) parts.push([keyText(key), value]);
    }
    return parts.length === 0 && entries.length > 0 ? undefined : fromPairs(parts);
  }
}

/** Own properties only, so that "__proto__" is a key like any other. */
const fromPairs = (parts: readonly (readonly [string, Json])[]): Json => Object.fromEntries(parts);

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
