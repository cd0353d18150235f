import { CheckpointConfigError, type Json } from "@ckptkit/core";
import { parse } from "yaml";
import type { ConfigPath } from "./document.js";

/** A value that is set from the command line. */
export interface Override {
  path: ConfigPath;
  value: Json;
}

/**
 * Reads `stages.0.path=model.ckpt`: a path of keys and indices, and a value in YAML.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 */
export function parseOverride(text: string): Override {
  const cut = text.indexOf("=");
  if (cut <= 0) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `${JSON.stringify(text)} sets nothing: key=value was expected.`, {
      suggestions: ["For example: --set stages.0.path=model.ckpt"],
    });
  }
  const path = text
    .slice(0, cut)
    .split(".")
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  return { path, value: parse(text.slice(cut + 1)) as Json }; // YAML's core schema gives plain JSON
}

/** A configuration with one value set; maps on the way are made where they are missing. */
export function applyOverride(config: Json | undefined, { path, value }: Override): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === "number") {
    const items = Array.isArray(config) ? [...(config as readonly Json[])] : [];
    if (step > items.length) {
      throw new CheckpointConfigError("INVALID_ARGUMENT", `Entry ${step} cannot be set: the list has ${items.length} entries.`, {
        details: { index: step, length: items.length },
      });
    }
    items[step] = applyOverride(items[step], { path: rest, value });
    return items;
  }
  const entries = isMap(config) ? config : {};
  return { ...entries, [step]: applyOverride(entries[step], { path: rest, value }) };
}

/** Two configurations in one: maps are merged, everything else is taken from `over`. */
export function mergeConfig(base: Json, over: Json): Json {
  if (!isMap(base) || !isMap(over)) return over;
  const merged: { [key: string]: Json } = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = key in base ? mergeConfig(base[key] ?? null, value) : value;
  return merged;
}

const isMap = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
