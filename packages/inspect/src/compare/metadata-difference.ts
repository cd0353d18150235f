import type { Json } from "@ckptkit/core";

/** One place at which the metadata of two checkpoints differs. */
export interface MetadataDifference {
  /** Keys joined with '.'. */
  path: string;
  /** Absent where only b has it, and where only a has it. */
  a?: Json;
  b?: Json;
}

/** Differences that are listed. */
const MOST = 1000;

type JsonObject = { readonly [key: string]: Json };

/** Lists where two descriptions differ, in the order of the first; the first thousand places. */
export function metadataDifferences(a: JsonObject, b: JsonObject): MetadataDifference[] {
  const found: MetadataDifference[] = [];
  compare(a, b, "", found);
  return found;
}

const isObject = (value: Json | undefined): value is JsonObject | readonly Json[] => typeof value === "object" && value !== null;

function compare(a: Json | undefined, b: Json | undefined, path: string, found: MetadataDifference[]): void {
  if (found.length >= MOST || a === b) return;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) {
    found.push({ path, ...(a !== undefined && { a }), ...(b !== undefined && { b }) });
    return;
  }
  const [one, two] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  for (const key of new Set([...one.keys(), ...two.keys()]))
    compare(one.get(key), two.get(key), path === "" ? key : `${path}.${key}`, found);
}
