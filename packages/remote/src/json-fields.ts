import type { Json } from "@ckptkit/core";

/** A value within JSON, by its keys; undefined where there is none. */
export function fieldOf(json: Json | undefined, ...keys: string[]): Json | undefined {
  let value = json;
  for (const key of keys) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

// Array.isArray does not tell read-only arrays apart in types.
const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The same, where it is a string that is not empty. */
export function textOf(json: Json | undefined, ...keys: string[]): string | undefined {
  const value = fieldOf(json, ...keys);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The same, where it is a list. */
export function listOf(json: Json | undefined, ...keys: string[]): readonly Json[] {
  const value = fieldOf(json, ...keys);
  return Array.isArray(value) ? value : [];
}
