import type { Json } from "@ckptkit/core";
import type { StageLike } from "@ckptkit/core/pipeline";

/** A place in a configuration file. */
export interface ConfigPlace {
  file: string;
  /** Counted from 1; left out for values that were computed, as those of a TypeScript file are. */
  line?: number | undefined;
  column?: number | undefined;
}

/** A step to a value: a key, or an index of a list. */
export type ConfigPath = readonly (string | number)[];

type Scalar = string | number | boolean | null;

/** A value of a configuration, with the place where it stands. */
export type ConfigNode = {
  readonly place: ConfigPlace;
  /** Where the key of this entry stands, in a map. */
  readonly keyPlace?: ConfigPlace | undefined;
} & (
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, ConfigNode> }
  | { readonly kind: "list"; readonly items: readonly ConfigNode[] }
  | {
      readonly kind: "scalar";
      readonly value: Scalar;
      /** What it may mean as well: text that came from outside is a string, and a number when a number is wanted. */
      readonly alternative?: Scalar | undefined;
    }
  /** A stage that TypeScript made. */
  | { readonly kind: "stage"; readonly value: StageLike }
);

/** A map with these entries. */
export type MapNode = Extract<ConfigNode, { kind: "map" }>;

/** Lists and maps in one another, deeper than any pipeline is. */
const MAX_DEPTH = 100;

/**
 * The nodes of a value that was computed, which stand in a file at no particular line.
 *
 * @throws what `refuse` makes of a value that is not plain
 */
export function nodeOf(
  value: unknown,
  place: ConfigPlace,
  refuse: (what: string, path: ConfigPath) => Error,
  path: ConfigPath = [],
): ConfigNode {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return { place, kind: "scalar", value };
  if (typeof value !== "object" || path.length > MAX_DEPTH) {
    throw refuse(typeof value === "object" ? "lists or maps that hold themselves, or are too deep" : typeof value, path);
  }
  if ("process" in value && typeof value.process === "function") return { place, kind: "stage", value: value as StageLike }; // what makes a stage
  if (Array.isArray(value))
    return { place, kind: "list", items: value.map((item, index) => nodeOf(item, place, refuse, [...path, index])) };
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return { place, kind: "map", entries: new Map(entries.map(([key, entry]) => [key, nodeOf(entry, place, refuse, [...path, key])])) };
}

/**
 * The plain value of a node.
 *
 * @param swapped scalars of which the alternative is taken.
 */
export function plainValue(node: ConfigNode, swapped?: ReadonlySet<ConfigNode>): Json {
  switch (node.kind) {
    case "scalar":
      return swapped?.has(node) ? (node.alternative ?? null) : node.value;
    case "list":
      return node.items.map((item) => plainValue(item, swapped));
    case "map":
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainValue(entry, swapped)]));
    case "stage":
      return String(node.value);
  }
}

/** Two configurations in one: maps are merged, everything else is taken from `over`. */
export function mergeNodes(base: ConfigNode, over: ConfigNode): ConfigNode {
  if (base.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    entries.set(key, below ? mergeNodes(below, entry) : entry);
  }
  return { ...over, entries };
}

/** A map without one of its entries. */
export function withoutEntry(node: MapNode, key: string): MapNode {
  return { ...node, entries: new Map([...node.entries].filter(([name]) => name !== key)) };
}

/**
 * Follows a dotted path as far as it leads. Steps may be keys that hold dots themselves, and keys in snake_case for steps in camelCase.
 *
 * @returns the last node that was reached, and the steps that led to nothing.
 */
export function follow(node: ConfigNode, steps: readonly string[]): { node: ConfigNode; rest: readonly string[] } {
  if (steps.length === 0) return { node, rest: [] };
  if (node.kind === "list") {
    const item = node.items[Number(steps[0])];
    return item ? follow(item, steps.slice(1)) : { node, rest: steps };
  }
  if (node.kind === "map") {
    for (let count = 1; count <= steps.length; count++) {
      const entry = entryOf(node, steps.slice(0, count).join("."));
      if (entry) return follow(entry, steps.slice(count));
    }
  }
  return { node, rest: steps };
}

/** The entry of a key, or of the same key in snake_case. */
export function entryOf({ entries }: MapNode, key: string): ConfigNode | undefined {
  const exact = entries.get(key);
  if (exact) return exact;
  for (const [name, entry] of entries) if (camelCase(name) === key) return entry;
  return undefined;
}

/** `max_retries` -> `maxRetries`. */
export const camelCase = (key: string): string => key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** `stages[0].rename`: a path as people write it. */
export const showPath = (path: ConfigPath): string =>
  path.map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${step}`)).join("");
