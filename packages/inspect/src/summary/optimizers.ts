import { asNumber, type Checkpoint, getEntry, isNode, type Json, type MapNode, type PathKey, type Tree } from "@ckptkit/core";
import { describeTree } from "@ckptkit/formats";
import { optimizerKind } from "./optimizer-kind.js";

/** One optimizer's saved state. */
export interface OptimizerSummary {
  /** Where it stands: `optimizer_states.0`. */
  path: string;
  /** The class that its state looks like; the file does not name it. */
  looksLike?: string;
  groups: { parameters: number; lr?: number; options: { readonly [name: string]: Json } }[];
  /** Parameters that it keeps values for. */
  parametersWithState: number;
  /** Tensors that it keeps, and their bytes. */
  tensors: number;
  byteLength: number;
  /** Names of the values kept for each parameter, such as `exp_avg`. */
  stateNames: string[];
  /** Steps that it has made, where each parameter counts them in the description itself. */
  steps?: number;
}

/** Keys under which optimizers are saved: alone, in a list, or in a map by name. */
const KEYS = ["optimizer_states", "optimizer_state_dict", "optimizer_state", "optimizer", "optimizers", "optim", "opt"];
/** Optimizers that are told of; nobody has more, and a hostile file could. */
const MOST = 64;
const GROUPS_SHOWN = 256;
/** Parameters whose kept values are looked at for their names. */
const LOOKED_AT = 64;

interface Found {
  keys: PathKey[];
  node: MapNode;
}

/** The optimizers whose state a checkpoint holds. Reads nothing. */
export function optimizersOf({ tree, tensors }: Pick<Checkpoint, "tree" | "tensors">): OptimizerSummary[] {
  const found = findOptimizers(tree);
  const sums = found.map(() => ({ tensors: 0, byteLength: 0, names: new Set<string>() }));
  if (found.length > 0) {
    for (const { keys, byteLength } of tensors) {
      const at = found.findIndex((each) => each.keys.every((key, index) => keys[index] === key));
      const sum = sums[at];
      if (!sum) continue;
      sum.tensors++;
      sum.byteLength += byteLength;
      const last = keys.at(-1);
      if (typeof last === "string") sum.names.add(last);
    }
  }
  return found.map(({ keys, node }, index) => {
    const sum = sums[index];
    return summary(keys, node, sum?.tensors ?? 0, sum?.byteLength ?? 0, sum?.names ?? new Set());
  });
}

const isMap = (value: Tree | undefined): value is MapNode => isNode(value) && value.kind === "map";
const isOptimizer = (value: Tree | undefined): value is MapNode =>
  isMap(value) && getEntry(value, "param_groups") !== undefined && getEntry(value, "state") !== undefined;

function findOptimizers(tree: Tree): Found[] {
  if (isOptimizer(tree)) return [{ keys: [], node: tree }];
  const found: Found[] = [];
  const add = (keys: PathKey[], value: Tree): void => {
    if (found.length < MOST && isOptimizer(value)) found.push({ keys, node: value });
  };
  for (const key of KEYS) {
    const value = getEntry(tree, key);
    if (isOptimizer(value)) add([key], value);
    else if (isNode(value) && value.kind === "list")
      for (const [index, item] of value.items.slice(0, MOST).entries()) add([key, index], item);
    else if (isMap(value)) {
      for (const [name, item] of value.entries.slice(0, MOST)) {
        if (typeof name === "string" || typeof name === "number") add([key, name], item);
      }
    }
  }
  return found;
}

function summary(keys: PathKey[], node: MapNode, tensors: number, byteLength: number, names: ReadonlySet<string>): OptimizerSummary {
  const state = getEntry(node, "state");
  const perParameter = isMap(state) ? state.entries.map(([, value]) => value) : [];
  const stateNames = new Set(names);
  for (const value of perParameter.slice(0, LOOKED_AT)) {
    if (isMap(value)) for (const [name] of value.entries) if (typeof name === "string") stateNames.add(name);
  }
  const groups = groupsOf(getEntry(node, "param_groups"));
  const options = new Set(groups.flatMap((group) => Object.keys(group.options)));
  const decoupled = groups[0]?.options.decoupled_weight_decay;
  const looksLike = optimizerKind({ stateNames, options, decoupled: typeof decoupled === "boolean" ? decoupled : undefined });
  const steps = asNumber(getEntry(perParameter[0], "step"));
  return {
    path: keys.join("."),
    ...(looksLike !== undefined && { looksLike }),
    groups,
    parametersWithState: perParameter.length,
    tensors,
    byteLength,
    stateNames: [...stateNames].sort(),
    ...(steps !== undefined && { steps }),
  };
}

function groupsOf(value: Tree | undefined): OptimizerSummary["groups"] {
  if (!isNode(value) || value.kind !== "list") return [];
  return value.items.slice(0, GROUPS_SHOWN).flatMap((group) => {
    if (!isMap(group)) return [];
    const members = getEntry(group, "params");
    const options = describeTree({ ...group, entries: group.entries.filter(([key]) => key !== "params") });
    return [
      {
        parameters: isNode(members) && members.kind === "list" ? members.items.length : 0,
        ...(typeof options.lr === "number" && { lr: options.lr }),
        options,
      },
    ];
  });
}
