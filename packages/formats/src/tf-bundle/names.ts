import type { TensorGroup } from "@ckptkit/core";
import type { BundleEntry } from "./entries.js";
import { OBJECT_GRAPH, type TrackedObject } from "./object-graph.js";

/** What a tensor is called, and what it belongs to. */
export interface TensorName {
  readonly name: string;
  readonly group: TensorGroup;
}

/** Between an object and what it holds; `VARIABLE_VALUE` is a variable's own value. */
const ATTRIBUTES = "/.ATTRIBUTES/";
const VARIABLE = "/.ATTRIBUTES/VARIABLE_VALUE";
/** Between a variable, the optimizer and the name of what that keeps of it. */
const SLOT = "/.OPTIMIZER_SLOT/";
/** First steps of paths that lead to an optimizer. */
const OPTIMIZERS = /^(?:.*_)?(?:optimizers?|optim|opt)(?:_\w+)?$/i;
/** Counters beside a model. */
const COUNTERS = /^(?:save_counter|global_step|step|epoch|iterations?)$/i;

/** Names under which optimizers of TensorFlow 1 keep their slots. @see tensorflow/python/training/slot_creator.py and the optimizers there */
const SLOT_NAMES_1 =
  /^(?:Adam|AdamW|Adamax|Nadam|Momentum|RMSProp|Adagrad|AdagradDA|Adadelta|Ftrl|LAMBOptimizer|LARSOptimizer|Adafactor|adam_[mv]|m|v|gg_accum|gradient_accumulator)(?:_\d+)?$/;
const POWERS_1 = /(?:^|\/)beta[12]_power(?:_\d+)?$/;

/** Names and groups of the tensors of a checkpoint. Two never have one name. */
export function tensorNames(entries: readonly BundleEntry[], objects: readonly TrackedObject[]): ReadonlyMap<BundleEntry, TensorName> {
  const isObjects = entries.some(({ name }) => name === OBJECT_GRAPH);
  const keys = new Set(entries.map(({ name }) => name));
  const slots = slotKeys(objects);
  const seen = new Set<string>();
  const names = new Map<BundleEntry, TensorName>();
  for (const entry of entries) {
    const named = isObjects ? nameOfObject(entry.name, slots) : nameOfVariable(entry.name, keys);
    const name = seen.has(named.name) ? entry.name : named.name;
    seen.add(name);
    names.set(entry, { name, group: named.group });
  }
  return names;
}

/** Keys of what optimizers keep, as the graph of objects tells. */
function slotKeys(objects: readonly TrackedObject[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { slots } of objects) for (const { object } of slots) for (const { key } of objects[object]?.attributes ?? []) keys.add(key);
  return keys;
}

/** `model/w/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE` is `optimizer/m/model/w`. */
function nameOfObject(key: string, slots: ReadonlySet<string>): TensorName {
  const path = key.endsWith(VARIABLE) ? key.slice(0, -VARIABLE.length) : key.replace(ATTRIBUTES, "/");
  const slot = path.indexOf(SLOT);
  if (slot >= 0) return { name: unescaped(`${path.slice(slot + SLOT.length)}/${path.slice(0, slot)}`), group: "optimizer" };
  const name = unescaped(path);
  const [first = ""] = name.split("/");
  if (slots.has(key) || (OPTIMIZERS.test(first) && name.includes("/"))) return { name, group: "optimizer" };
  return { name, group: COUNTERS.test(name) ? "other" : "model" };
}

/** Names of attributes are escaped: a point is two, a slash `.S`. @see tensorflow/python/checkpoint/util.py, and trackable_utils.py, escape_local_name */
const unescaped = (path: string): string => path.replace(/\.(\.|S)/g, (_, char: string) => (char === "S" ? "/" : "."));

/** A variable of TensorFlow 1: what an optimizer keeps of `w` is `w/Adam`, `w/Adam_1`, and stands beside it. */
function nameOfVariable(name: string, keys: ReadonlySet<string>): TensorName {
  const cut = name.lastIndexOf("/");
  const last = name.slice(cut + 1);
  if (POWERS_1.test(name)) return { name, group: "optimizer" };
  if (cut > 0 && SLOT_NAMES_1.test(last) && hasVariable(name.slice(0, cut), keys)) return { name, group: "optimizer" };
  return { name, group: COUNTERS.test(last) ? "other" : "model" };
}

/** Slots may stand within the scope of their optimizer: `train/w/Adam` of `w`. */
function hasVariable(stem: string, keys: ReadonlySet<string>): boolean {
  for (let rest = stem; ; rest = rest.slice(rest.indexOf("/") + 1)) {
    if (keys.has(rest)) return true;
    if (!rest.includes("/")) return false;
  }
}
