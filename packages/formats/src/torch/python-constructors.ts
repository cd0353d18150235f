import type { MapNode, Tree } from "@ckptkit/core";
import { entriesOf, type PickleValue } from "@ckptkit/pickle";
import { type Constructor, isKind } from "./build-context.js";

/**
 * Collections of Python that checkpoints hold, by the names that pickles give their makers. Built-in values that older
 * protocols write as calls (bytes, sets, bytearrays) have been recognised by the pickle reader already.
 */
export const PYTHON_CONSTRUCTORS: Readonly<Record<string, Constructor>> = {
  ...named(["collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict"], mapping),
  ...named(["collections.deque", "torch.Size", "builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset"], sequence),
  // (class, base, state of the base): how protocols 0 and 1 make an instance.
  "copyreg._reconstructor": ([cls, base, state], call, context, remember) => {
    const type = context.nameOf(cls);
    if (type === undefined) return undefined;
    const plain = context.nameOf(base) === "builtins.object" || state === undefined || state === null;
    return context.opaque(type, plain ? [] : [state], call, remember);
  },
};

/** Built-in types are shown without their module. */
function named(names: readonly string[], make: (type: string) => Constructor): Record<string, Constructor> {
  return Object.fromEntries(names.map((name) => [name, make(name.replace("builtins.", ""))]));
}

/** A mapping: its first argument (a dict, or pairs) and the items that were set on it. */
function mapping(type: string): Constructor {
  return (args, call, context, remember) => {
    const initial = initialEntries(type === "collections.defaultdict" ? args[1] : args[0]);
    if (initial === undefined || call.kwargs !== undefined || call.items || call.setItems) return undefined;
    const added = call.keysAndValues ?? [];
    context.charge(initial.length === 0 ? 0 : (initial.length + added.length) / 2);
    const entries: [Tree, Tree][] = [];
    const node: MapNode & { state?: Tree } = { kind: "map", type, entries };
    remember(node);
    for (const given of [initial, added]) {
      for (const [key, value] of entriesOf(given)) entries.push([context.build(key), context.build(value)]);
    }
    for (const state of call.states ?? []) context.addState(node, state);
    return node;
  };
}

/** Keys and values by turns. */
function initialEntries(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  if (value === undefined || value === null) return [];
  if (isKind(value, "dict")) return value.keysAndValues;
  if (!isKind(value, "list") && !isKind(value, "tuple")) return undefined;
  const keysAndValues: PickleValue[] = [];
  for (const pair of value.items) {
    if (!isKind(pair, "list") && !isKind(pair, "tuple")) return undefined;
    const [key, entry] = pair.items;
    if (key === undefined || entry === undefined || pair.items.length !== 2) return undefined;
    keysAndValues.push(key, entry);
  }
  return keysAndValues;
}

/** A sequence or set: its first argument and the items that were appended. */
function sequence(type: string): Constructor {
  return ([first], call, context, remember) => {
    const isSequence = isKind(first, "list") || isKind(first, "tuple") || isKind(first, "set") || isKind(first, "frozenset");
    const initial = first === undefined ? [] : isSequence ? first.items : undefined;
    if (initial === undefined || call.kwargs !== undefined || call.keysAndValues || call.states) return undefined;
    context.charge(initial.length);
    const items: Tree[] = [];
    const node: Tree = { kind: "list", type, items };
    remember(node);
    for (const given of [initial, call.items ?? [], call.setItems ?? []]) {
      for (const item of given) items.push(context.build(item));
    }
    return node;
  };
}
