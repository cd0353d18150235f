import { CheckpointConfigError, type Json } from "@ckptkit/core";
import type { ConfigPath } from "./document.js";

/** `${NAME}` or `${NAME:-what stands in when it is not set}`; `$${` is a literal `${`. */
const VARIABLE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Puts environment variables into the strings of a configuration.
 *
 * @param lookUp gives a variable's value.
 * @throws {CheckpointConfigError} CONFIG_VARIABLE naming the variable and the path; never its neighbours' values
 */
export function interpolate(value: Json, lookUp: (name: string) => string | undefined, path: ConfigPath = []): Json {
  if (typeof value === "string") return interpolateText(value, lookUp, path);
  if (Array.isArray(value)) return value.map((item: Json, index) => interpolate(item, lookUp, [...path, index]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, interpolate(entry, lookUp, [...path, key])]));
}

function interpolateText(text: string, lookUp: (name: string) => string | undefined, path: ConfigPath): string {
  return text.replace(VARIABLE, (_match, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return "${";
    const found = lookUp(name) ?? fallback;
    if (found !== undefined) return found;
    throw new CheckpointConfigError("CONFIG_VARIABLE", `${path.join(".")} refers to the environment variable ${name}, which is not set.`, {
      details: { variable: name, path: path.join(".") },
      suggestions: [`Set it, or give a default: \${${name}:-...}.`],
    });
  });
}
