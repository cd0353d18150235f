import type { CheckpointError, Json, TensorData } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";

/** A tensor that differs in a loader's eyes: shapes as lists, dtypes as codes. */
export interface FitMismatch {
  name: string;
  expected: Json;
  found: Json;
}

/** How a checkpoint fits the model that a loader loads it into, from headers alone. */
export interface LoaderFit {
  /** Tensors of the model that get their values. */
  loaded: number;
  /** Tensors of the model in all. */
  tensors: number;
  /** In the model, not loaded. */
  missingKeys: string[];
  /** In the checkpoint, not in the model. */
  unexpectedKeys: string[];
  shapeMismatches: FitMismatch[];
  dtypeMismatches: FitMismatch[];
  /** Values that are converted to the model's dtype. */
  converted: number;
  /** Left out by the loader, and why. */
  skipped: { [name: string]: string };
}

/**
 * What a loader did.
 *
 * @param own the model's tensors before.
 * @param loaded what the loader loaded.
 * @param after the context that it returned.
 */
export function fitOf(own: ReadonlyMap<string, TensorData>, loaded: ReadonlyMap<string, TensorData>, after: CheckpointContext): LoaderFit {
  const names = [...loaded.keys()].filter((name) => own.has(name));
  return {
    loaded: names.length,
    tensors: own.size,
    missingKeys: [...own.keys()].filter((name) => !loaded.has(name)),
    unexpectedKeys: textsOf(after.metadata.unexpected_keys),
    shapeMismatches: [],
    dtypeMismatches: [],
    converted: names.filter((name) => loaded.get(name)?.dtype !== own.get(name)?.dtype).length,
    skipped: reasonsOf(after.metadata.skipped_params),
  };
}

/** What a loader refused, from its error; undefined for an error of another sort. */
export function misfitOf(own: ReadonlyMap<string, TensorData> | undefined, error: CheckpointError): LoaderFit | undefined {
  if (error.code !== "INCOMPATIBLE") return undefined;
  const { missingKeys, unexpectedKeys, shapeMismatches, dtypeMismatches } = error.details;
  return {
    loaded: 0,
    tensors: own?.size ?? 0,
    missingKeys: textsOf(missingKeys),
    unexpectedKeys: textsOf(unexpectedKeys),
    shapeMismatches: mismatchesOf(shapeMismatches),
    dtypeMismatches: mismatchesOf(dtypeMismatches),
    converted: 0,
    skipped: {},
  };
}

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

const mismatchesOf = (value: unknown): FitMismatch[] =>
  Array.isArray(value) ? value.map(({ name, expected, found }: FitMismatch) => ({ name: String(name), expected, found })) : [];

function reasonsOf(value: Json | undefined): { [name: string]: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, reason]) => [name, String(reason)]));
}
