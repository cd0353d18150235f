import { type Checkpoint, CheckpointConfigError, type Json, type TensorData } from "@ckptkit/core";
import type { CheckpointContext, ModelAdapter, Notice } from "@ckptkit/core/pipeline";
import { tieKeys } from "@ckptkit/inspect";
import { renameModernised } from "../migrations/legacy-layouts.js";
import { compareStateDicts } from "../model/compare.js";
import type { Differences } from "../model/incompatible.js";
import { asHandle } from "../tensors/views.js";
import type { LoadOptions } from "./load-options.js";
import { migratedState, pathPrefix } from "./state-dict.js";

/** What a checkpoint would do to a model, worked out from headers alone. */
export interface LoadPlan {
  readonly model: ModelAdapter;
  readonly checkpoint: Checkpoint;
  /** The checkpoint's values under the model's full names, before anything is left out. */
  readonly values: ReadonlyMap<string, TensorData>;
  /** How they differ from the part of the model that is loaded. */
  readonly differences: Differences;
  /** Names whose values stay the model's own. */
  readonly refreshed: readonly string[];
  /** Groups of names that are one tensor in the model, and different ones in the checkpoint. */
  readonly brokenTies: readonly (readonly string[])[];
  readonly notices: readonly Notice[];
  /** What to tell of it in the context's metadata. */
  readonly record: { readonly [key: string]: Json };
}

/**
 * Brings the weights of a context's checkpoint in line with its model, and compares them. Reads no values and changes nothing.
 *
 * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE; INVALID_ARGUMENT when `into` is no module of the model
 * @throws {CheckpointValidationError} NO_STATE_DICT, NAME_CONFLICT
 * @throws {CheckpointIncompatibleError} MIGRATION_FAILED
 */
export function planLoad(context: CheckpointContext, options: LoadOptions, stageName: string): LoadPlan {
  const model = context.require(stageName, "model");
  return planFor(context.requireCheckpoint(stageName, options.from), model, options);
}

/** The same for a checkpoint and a model in hand. */
export function planFor(checkpoint: Checkpoint, model: ModelAdapter, options: LoadOptions): LoadPlan {
  const own = model.stateDict();
  const scope = pathPrefix(options.into);
  if (scope !== "" && !model.submodule(scope.slice(0, -1))) throw unknownModule(scope.slice(0, -1), own);
  const state = migratedState(
    checkpoint,
    options,
    [...own.keys()].filter((name) => name.startsWith(scope)).map((name) => name.slice(scope.length)),
  );
  const names = new Set(own.keys());
  const { values: modern, found } = options.legacyLayouts ? renameModernised(state.values, names) : { values: state.values, found: [] };
  const values = new Map(modern);
  const brokenTies = followTies(values, model.ties(), scope);
  const refreshed = refresh(values, own, options.refreshPrefixes, scope);
  const kept = keepCounters(values, own, scope);
  const target = new Map([...own].filter(([name]) => name.startsWith(scope) && !kept.has(name)));
  const legacy = [...state.legacyLayouts, ...found];
  const { migrations } = state;
  return {
    model,
    checkpoint,
    values,
    differences: compareStateDicts(target, values),
    refreshed,
    brokenTies,
    notices: [
      ...migrations.filter(({ matched }) => matched === 0).map(({ type }) => warning(`The migration ${type} matched no tensor.`)),
      ...brokenTies.map((names) =>
        warning(`${names.join(" and ")} are one tensor in the model and different ones in the checkpoint: the last one's values are used.`),
      ),
    ],
    record: {
      checkpoint: checkpoint.uri,
      ...(options.into !== undefined && { into: options.into }),
      ...(legacy.length > 0 && { legacy_layouts: legacy }),
      ...(migrations.length > 0 && { migrations: migrations.map(({ type, matched }) => ({ type, matched })) }),
      ...(refreshed.length > 0 && { refreshed_params: refreshed }),
    },
  };
}

const warning = (message: string): Notice => ({ level: "warning", message });

/**
 * Gives tied names that the checkpoint lacks the value of one that it has. Returns the groups that the checkpoint has different
 * tensors for.
 */
function followTies(values: Map<string, TensorData>, ties: readonly (readonly string[])[], scope: string): (readonly string[])[] {
  const broken: (readonly string[])[] = [];
  const keyOf = tieKeys();
  for (const names of ties) {
    const given = names.filter((name) => values.has(name));
    const tensors = given.flatMap((name) => values.get(name) ?? []);
    const last = tensors.at(-1);
    if (!last) continue;
    if (new Set(tensors.map((tensor) => keyOf(asHandle(tensor).spec))).size > 1) broken.push(given);
    for (const name of names) if (name.startsWith(scope) && !values.has(name)) values.set(name, last);
  }
  return broken;
}

/** Puts the model's own values in the place of the checkpoint's under some paths. */
function refresh(
  values: Map<string, TensorData>,
  own: ReadonlyMap<string, TensorData>,
  prefixes: readonly string[],
  scope: string,
): string[] {
  const under = (name: string): boolean =>
    prefixes.some((prefix) => name === prefix.replace(/\.$/, "") || name.startsWith(pathPrefix(prefix)));
  for (const name of [...values.keys()]) if (under(name)) values.delete(name);
  const refreshed = [...own].filter(([name]) => name.startsWith(scope) && under(name));
  for (const [name, tensor] of refreshed) values.set(name, tensor);
  return refreshed.map(([name]) => name);
}

/** Batch norms of torch before 0.4.1 have no counter: the model's stays. @see torch/nn/modules/batchnorm.py, _load_from_state_dict */
function keepCounters(values: ReadonlyMap<string, TensorData>, own: ReadonlyMap<string, TensorData>, scope: string): Set<string> {
  const COUNTER = /(^|\.)num_batches_tracked$/u;
  const counters = [...own.keys()].filter((name) => name.startsWith(scope) && COUNTER.test(name) && !values.has(name));
  return new Set(counters.filter((name) => values.has(name.replace(COUNTER, "$1running_mean"))));
}

function unknownModule(path: string, own: ReadonlyMap<string, TensorData>): CheckpointConfigError {
  const modules = [...new Set([...own.keys()].filter((name) => name.includes(".")).map((name) => name.slice(0, name.indexOf("."))))];
  return new CheckpointConfigError("INVALID_ARGUMENT", `The model has no module ${JSON.stringify(path)} to load into.`, {
    details: { option: "into", found: path },
    suggestions: modules.length > 0 ? [`Modules at its top are: ${modules.slice(0, 20).join(", ")}. Give the full path.`] : [],
  });
}

/** What to try when names do not agree. */
export function adviceFor({ missingKeys, unexpectedKeys, shapeMismatches }: Differences): string[] {
  const advice: string[] = [];
  const missing = new Set(missingKeys);
  const first = unexpectedKeys[0] ?? "";
  for (let dot = first.indexOf("."); dot > 0; dot = first.indexOf(".", dot + 1)) {
    const prefix = first.slice(0, dot + 1);
    const helps =
      unexpectedKeys.every((name) => name.startsWith(prefix)) && unexpectedKeys.some((name) => missing.has(name.slice(prefix.length)));
    if (helps) advice.push(`The checkpoint's names begin with "${prefix}": take it off with migrations: [{stripPrefix: "${prefix}"}].`);
  }
  const wanted = missingKeys[0] ?? "";
  const unexpected = new Set(unexpectedKeys);
  for (let dot = wanted.indexOf("."); dot > 0; dot = wanted.indexOf(".", dot + 1)) {
    const prefix = wanted.slice(0, dot + 1);
    const helps =
      missingKeys.every((name) => name.startsWith(prefix)) && missingKeys.some((name) => unexpected.has(name.slice(prefix.length)));
    if (helps) advice.push(`The model's names begin with "${prefix}": load into that module with into: "${prefix.slice(0, -1)}".`);
  }
  if (shapeMismatches.length > 0) advice.push("Load what fits, and leave the rest as it is, with the loader transfer_learning.");
  if (advice.length === 0) advice.push("Bring the names in line by migrations, or load what fits with the loader transfer_learning.");
  return advice;
}
