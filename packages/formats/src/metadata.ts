import {
  asNumber,
  isNode,
  type Json,
  type Limits,
  type ListNode,
  type MapNode,
  type ObjectNode,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { keyText } from "./key-text.js";
import { omegaconfValue } from "./values/omegaconf.js";
import { plainText } from "./values/plain-text.js";

/** Byte strings up to this size are shown in base64, longer ones by their size. */
const BYTES_SHOWN = 256;
/** Values in all, so that a hostile or huge graph still gives a description of bounded size. */
const VALUES_SHOWN = 200_000;
/** Stands for everything after that. */
const CUT = "...";

/**
 * The non-tensor values of a tree as plain JSON. Maps and lists that hold nothing but tensors are left out. Values that have one text in
 * Python are that text: paths, dates and times (ISO 8601), decimals, fractions, UUIDs, devices; configurations of omegaconf are the values that
 * they hold. What JSON has no form for keeps its meaning in a small object: `{"$type": "argparse.Namespace", ...}`, `{"$bytes": "..."}`,
 * `{"$float": "nan"}`, `{"$complex": [1, -2]}`, `{"$tensor": true}` in lists, `{"$ref": "cycle"}`; integers beyond 2^53 - 1 are decimal strings. Keys
 * are text as Python's `str()` gives it; of two keys with one text, 1 and "1", the last one wins.
 *
 * @param limits `treeVisits` bounds the values that are looked at. After 200,000 values the description ends in "...".
 */
export function describeTree(tree: Tree, limits: Limits = withLimits()): { readonly [key: string]: Json } {
  const described = new Describer(limits.treeVisits).value(tree);
  if (described === undefined) return {};
  return isJsonObject(described) ? described : { value: described };
}

/** What the arguments of a call mean, or the members of a state; more than these say nothing of their own. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  "builtins.slice": ["start", "stop", "step"],
  "builtins.range": ["start", "stop", "step"],
  "re._compile": ["pattern", "flags"],
  "functools.partial": ["func", "args", "keywords"],
};

/** What stands in a list for a member that is a tensor, or holds tensors only. */
const TENSORS: Json = { $tensor: true };

const isJsonObject = (json: Json): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json);

class Describer {
  readonly #open = new Set<object>();
  /** Compound values that hold tensors only: where they are shared, one look is enough. */
  readonly #tensorsOnly = new Set<object>();
  #shown = 0;
  #steps: number;

  constructor(steps: number) {
    this.#steps = steps;
  }

  get #ended(): boolean {
    return this.#steps < 0 || this.#shown > VALUES_SHOWN;
  }

  /** Undefined stands for a value that is a tensor, or holds tensors only. */
  value(tree: Tree): Json | undefined {
    if (isNode(tree) && (tree.kind === "tensor" || this.#tensorsOnly.has(tree))) {
      this.#steps--;
      return undefined;
    }
    this.#shown++;
    if (this.#ended) return CUT;
    if (!isNode(tree) || tree.kind === "real") return plain(tree);
    if (tree.kind === "global") return tree.name;
    if (this.#open.has(tree)) return { $ref: "cycle" };
    this.#open.add(tree);
    const described = tree.kind === "list" ? this.#items(tree.items) : tree.kind === "map" ? this.#entries(tree) : this.#object(tree);
    this.#open.delete(tree);
    if (described === undefined && !this.#ended) {
      this.#tensorsOnly.add(tree);
      this.#shown--; // it does not show
    }
    return described;
  }

  #object(tree: ObjectNode): Json | undefined {
    const text = plainText(tree);
    if (text !== undefined) return text;
    const setting = omegaconfValue(tree);
    if (setting) return this.value(setting.value);
    return this.#named(tree) ?? this.#opaque(tree);
  }

  /** Built-in values whose arguments have names. */
  #named(tree: ObjectNode): Json | undefined {
    const { type, args = [], state } = tree;
    if (type === "builtins.complex" && args.length === 2) return { $complex: this.#items(args) ?? [] };
    const [, zone] = args;
    if (/^datetime\.(?:datetime|time)$/.test(type) && zone !== undefined) {
      const value = plainText({ kind: "object", type, args: args.slice(0, 1) });
      return value === undefined ? undefined : { $type: type, value, tzinfo: this.value(zone) ?? null };
    }
    const names = Object.hasOwn(NAMED, type) ? (NAMED[type] ?? []) : [];
    const parts = isNode(state) && state.kind === "list" ? state.items : args;
    if (names.length === 0 || parts.length < names.length) return undefined;
    const shown: JsonObject = { $type: type === "re._compile" ? "re.Pattern" : type.replace("builtins.", "") };
    for (const [index, name] of names.entries()) {
      const value = this.value(parts[index] ?? null);
      shown[name] = value === undefined ? TENSORS : value;
    }
    return shown;
  }

  #opaque(tree: ObjectNode): Json {
    const shown: JsonObject = { $type: tree.type };
    const add = (key: string, value: Json | undefined): void => {
      if (value !== undefined) setOwn(shown, key, value);
    };
    if (tree.args) add("$args", this.#items(tree.args));
    if (tree.state !== undefined) add("$state", this.value(tree.state));
    if (tree.items) add("$items", this.#items(tree.items));
    for (const entries of [tree.attributes?.entries ?? [], tree.entries ?? []]) {
      for (const [key, value] of entries) {
        if (this.#ended) break;
        // An attribute that looks like one of ours keeps its meaning by a second "$".
        add(keyText(key).replace(/^\$/, "$$$$"), this.value(value));
      }
    }
    return shown;
  }

  #items(items: ListNode["items"]): Json | undefined {
    const shown: Json[] = [];
    let tensors = 0;
    for (const item of items) {
      if (this.#ended) {
        shown.push(CUT);
        break;
      }
      const value = this.value(item);
      if (value === undefined) tensors++;
      shown.push(value === undefined ? TENSORS : value); // keeps the places of the others; null is a value
    }
    return tensors > 0 && tensors === shown.length ? undefined : shown;
  }

  #entries({ entries }: MapNode): Json | undefined {
    const shown: JsonObject = {};
    let isEmpty = true;
    for (const [key, entry] of entries) {
      if (this.#ended) {
        setOwn(shown, CUT, CUT);
        return shown;
      }
      const value = this.value(entry);
      if (value === undefined) continue;
      isEmpty = false;
      setOwn(shown, keyText(key), value);
    }
    return isEmpty && entries.length > 0 ? undefined : shown;
  }
}

type JsonObject = { [key: string]: Json };

/** Sets a property of the object's own: "__proto__" is a key like any other. */
function setOwn(object: JsonObject, key: string, value: Json): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A value that holds no others. */
function plain(tree: Exclude<Tree, { kind: "map" | "list" | "object" | "tensor" | "global" }>): Json {
  if (typeof tree === "bigint") return String(tree);
  if (tree instanceof Uint8Array) return { $bytes: tree.length <= BYTES_SHOWN ? base64(tree) : tree.length };
  const number = asNumber(tree);
  if (number !== undefined) return Number.isFinite(number) ? number : { $float: String(number).replace("Infinity", "inf").toLowerCase() };
  return typeof tree === "string" || typeof tree === "boolean" ? tree : null;
}

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
