import {
  type Finding,
  isNode,
  type Json,
  type Limits,
  type MapNode,
  type PathKey,
  type TensorGroup,
  type TensorSpec,
  type Tree,
} from "@ckptkit/core";
import type { Attributes } from "../hdf5/attributes.js";
import type { Hdf5Tree } from "../hdf5/tree.js";
import { describeTree } from "../metadata.js";
import { jsonTree, parseJson } from "./json-tree.js";

/** A tensor with the name and group that it has for Keras. */
export interface PlacedTensor {
  readonly keys: readonly PathKey[];
  readonly tensor: TensorSpec;
  readonly name: string;
  readonly group: TensorGroup;
}

/** Lists of names that Keras keeps as attributes: of the layers of a model, and of the weights of a layer. */
const LAYERS = "layer_names";
const WEIGHTS = "weight_names";
/** Weights that are of no layer. */
const TOP_LEVEL = "top_level_model_weights";
/** Groups of the root that hold an optimizer's state: of Keras' older files, its newer ones, and other programs'. */
const OPTIMIZERS: ReadonlySet<PathKey> = new Set([
  "optimizer_weights",
  "optimizer",
  "optimizers",
  "optimizer_state",
  "optimizer_state_dict",
]);

/**
 * Puts tensors in the order of Keras' lists of names and gives them these names; all others, behind them, keep the order of the file and
 * are named by their path.
 *
 * @see https://github.com/keras-team/keras/blob/master/keras/src/legacy/saving/legacy_h5_format.py
 */
export function placeKeras({ tensors, attributes, tree }: Hdf5Tree): PlacedTensor[] {
  const waiting = new Map(tensors.map((found) => [found.keys.join("/"), found]));
  const listed: { path: string; name: string; layer: string }[] = [];
  const weightsOf = (own: Attributes | undefined, path: string, layer: string): void => {
    for (const name of namesIn(own, WEIGHTS)) listed.push({ path: joined(path, name), name, layer });
  };
  const roots = new Map<string, Attributes>([["", rootAttributes(tree)], ...attributes]);
  for (const [path, own] of roots) {
    const layers = namesIn(own, LAYERS);
    for (const layer of layers) weightsOf(roots.get(joined(path, layer)), joined(path, layer), layer);
    if (layers.length > 0) weightsOf(roots.get(joined(path, TOP_LEVEL)), joined(path, TOP_LEVEL), TOP_LEVEL);
  }
  for (const optimizer of OPTIMIZERS) weightsOf(roots.get(String(optimizer)), String(optimizer), String(optimizer));
  const uses = new Map<string, number>();
  for (const { name } of listed) uses.set(name, (uses.get(name) ?? 0) + 1);
  const placed: PlacedTensor[] = [];
  for (const { path, name, layer } of listed) {
    const found = waiting.get(path);
    if (!found) continue;
    waiting.delete(path);
    // Layers of one name within two models, or names that Keras repeats.
    const isOnlyOne = uses.get(name) === 1 && (name === path || !waiting.has(name));
    placed.push({ ...found, name: isOnlyOne ? name : joined(layer, name), group: groupOf(found.keys) });
  }
  for (const [path, found] of waiting) placed.push({ ...found, name: path, group: groupOf(found.keys) });
  return placed;
}

const groupOf = ([first = ""]: readonly PathKey[]): TensorGroup => (OPTIMIZERS.has(first) ? "optimizer" : "model");

const joined = (path: string, name: string): string => (path === "" ? name : `${path}/${name}`);

const rootAttributes = ({ attributes }: MapNode): Attributes =>
  new Map((attributes?.entries ?? []).map(([key, value]): [string, Tree] => [String(key), value]));

/** A list of names; a long one is cut into attributes with a number behind their name. */
function namesIn(attributes: Attributes | undefined, key: string): string[] {
  const names: string[] = [];
  const add = (value: Tree | undefined): boolean => {
    if (!isNode(value) || value.kind !== "list") return false;
    for (const item of value.items) if (typeof item === "string") names.push(item);
    return true;
  };
  if (attributes && !add(attributes.get(key))) for (let part = 0; add(attributes.get(`${key}${part}`)); part++);
  return names;
}

/** Attributes of Keras whose text is JSON. */
const CONFIGURATIONS = ["model_config", "training_config"];

/** A file's description, and its tree with what it says as JSON instead of text. */
export interface Described {
  readonly metadata: { readonly [key: string]: Json };
  readonly tree: MapNode;
}

/**
 * The attributes of a file as metadata: those of the root by their names, Keras' configurations parsed, those of groups and datasets under
 * `attributes` by their paths. Lists of layers' and weights' names, which the tensors show, are left out.
 *
 * @param findings gets `keras-config` when a configuration is no JSON.
 */
export function describeHdf5({ tree, attributes }: Hdf5Tree, limits: Limits, findings: Finding[]): Described {
  const configurations = new Map<string, Json>();
  const own = [...rootAttributes(tree)].map(([key, value]): [Tree, Tree] => {
    if (!CONFIGURATIONS.includes(key) || typeof value !== "string") return [key, value];
    const json = parseJson(value, limits);
    if (json !== undefined) {
      configurations.set(key, json);
      return [key, jsonTree(json)];
    }
    findings.push({
      rule: "keras-config",
      severity: "warning",
      message: `The attribute ${key} is no valid JSON: it is shown as text.`,
      at: key,
    });
    return [key, value];
  });
  const isShown = (key: Tree): boolean => typeof key !== "string" || !/^(?:layer|weight)_names\d*$/.test(key);
  const inner = [...attributes].flatMap(([path, values]): [Tree, Tree][] => {
    const entries = [...values].filter(([key]) => isShown(key));
    return entries.length > 0 ? [[path, { kind: "map", type: "dict", entries }]] : [];
  });
  const entries = own.filter(([key]) => isShown(key) && !configurations.has(String(key)));
  if (inner.length > 0) entries.push(["attributes", { kind: "map", type: "dict", entries: inner }]);
  return {
    metadata: { ...Object.fromEntries(configurations), ...describeTree({ kind: "map", type: "dict", entries }, limits) },
    tree: own.length > 0 ? { ...tree, attributes: { kind: "map", type: "dict", entries: own } } : tree,
  };
}
