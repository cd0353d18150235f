import type { Checkpoint, TensorData } from "@ckptkit/core";
import { globMatcher } from "@ckptkit/inspect";
import { unwrapNames } from "../migrations/legacy-layouts.js";
import { type MigrationReport, migrate } from "../migrations/migrate.js";
import { modelTensors } from "../model/model-entries.js";
import type { LoadOptions } from "./load-options.js";

/** The weights of a checkpoint as a model is to get them. */
export interface MigratedState {
  values: Map<string, TensorData>;
  /** Legacy layouts that were recognised. */
  legacyLayouts: string[];
  migrations: MigrationReport[];
}

/**
 * The weights of a checkpoint under the names that the model has for them: legacy names first, then what is chosen of them,
 * then the declared migrations, then the place in the model. Reads nothing.
 *
 * @param modelNames the model's own names.
 * @throws {CheckpointValidationError} NO_STATE_DICT, NAME_CONFLICT
 * @throws {CheckpointIncompatibleError} MIGRATION_FAILED
 */
export function migratedState(checkpoint: Checkpoint, options: LoadOptions, modelNames: readonly string[]): MigratedState {
  const all: ReadonlyMap<string, TensorData> = withDroppedTies(modelTensors(checkpoint), checkpoint);
  const { values: named, found } = options.legacyLayouts ? unwrapNames(all, modelNames) : { values: all, found: [] };
  const { values, reports } = migrate(choose(named, options), options.migrations);
  const under = pathPrefix(options.into);
  return {
    values: new Map([...values].map(([name, tensor]) => [under + name, tensor])),
    legacyLayouts: found,
    migrations: reports,
  };
}

/** safetensors stores tied tensors once, and notes dropped name -> kept name in its metadata. */
function withDroppedTies(tensors: ReadonlyMap<string, TensorData>, { format, metadata }: Checkpoint): ReadonlyMap<string, TensorData> {
  if (!format.startsWith("safetensors")) return tensors;
  const dropped = Object.entries(metadata).flatMap(([name, kept]): [string, TensorData][] => {
    const tensor = typeof kept === "string" && !tensors.has(name) ? tensors.get(kept) : undefined;
    return tensor ? [[name, tensor]] : [];
  });
  return new Map([...tensors, ...dropped]);
}

function choose(values: ReadonlyMap<string, TensorData>, { submodule, include, exclude }: LoadOptions): ReadonlyMap<string, TensorData> {
  const path = pathPrefix(submodule);
  const included = include?.map(globMatcher);
  const excluded = exclude.map(globMatcher);
  const chosen = [...values].filter(
    ([name]) =>
      name.startsWith(path) && (!included || included.some((matches) => matches(name))) && !excluded.some((matches) => matches(name)),
  );
  return new Map(chosen.map(([name, tensor]) => [name.slice(path.length), tensor]));
}

/** What the names of a module begin with: its path and a dot, or nothing for the model itself. */
export function pathPrefix(path: string | undefined): string {
  return path === undefined || path === "" ? "" : `${path.replace(/\.$/, "")}.`;
}
