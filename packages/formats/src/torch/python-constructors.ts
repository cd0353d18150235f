import type { Tree } from "@ckptkit/core";
import type { PickleCall, PickleValue } from "@ckptkit/pickle";
import { type Constructor, isKind, type TreeBuilder } from "./tree-builder.js";

/** Built-in and standard-library values of Python that checkpoints hold, by the names that pickles give their makers. */
export const PYTHON_CONSTRUCTORS: Readonly<Record<string, Constructor>> = {
  "collections.OrderedDict": mapping("collections.OrderedDict"),
  "collections.defaultdict": mapping("collections.defaultdict"),
  "collections.Counter": mapping("collections.Counter"),
  "builtins.dict": mapping("dict"),
  "collections.deque": sequence("collections.deque"),
  "torch.Size": sequence("torch.Size"),
  "builtins.list": sequence("list"),
  "builtins.tuple": sequence("tuple"),
  "builtins.set": sequence("set"),
  "builtins.frozenset": sequence("frozenset"),
  "_codecs.encode": ([text, encoding]) => {
    if (typeof text !== "string" || (encoding !== "latin1" && encoding !== "latin-1")) return undefined;
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 0xff) return undefined;
      bytes[at] = code;
    }
    return bytes;
  },
  "builtins.bytearray": ([value], _call, builder) => {
    const bytes = value === undefined ? new Uint8Array(0) : builder.build(value);
    return bytes instanceof Uint8Array ? bytes : undefined;
  },
  "builtins.bytes": ([value], _call, builder) => {
    const bytes = value === undefined ? new Uint8Array(0) : builder.build(value);
    return bytes instanceof Uint8Array ? bytes : undefined;
  },
  // copyreg._reconstructor(class, base, state of the base): how protocols 0 and 1 make an instance.
  "copyreg._reconstructor": ([cls, base, state], call, builder, remember) => {
    const type = builder.nameOf(cls);
    if (type === undefined) return undefined;
    const plain = builder.nameOf(base) === "builtins.object" || state === undefined || state === null;
    return builder.opaque(type, plain ? [] : [state], call, remember);
  },
  "copyreg.__newobj__": ([cls, ...args], call, builder, remember) => {
    const type = builder.nameOf(cls);
    return type === undefined ? undefined : (builder.construct(type, args, call, remember) ?? builder.opaque(type, args, call, remember));
  },
};

/** A mapping: its first argument (a dict, or pairs) and the items that were set on it. */
function mapping(type: string): Constructor {
  return (args, call, builder, remember) => {
    const entries: [Tree, Tree][] = [];
    const node: Extract<Tree, { kind: "map" }> = { kind: "map", type, entries };
    remember(node);
    const initial = initialEntries(type === "collections.defaultdict" ? args[1] : args[0]);
    if (initial === undefined) return undefined;
    entries.push(...builder.buildEntries(initial), ...builder.buildEntries(call.entries ?? []));
    for (const state of call.states ?? []) builder.addState(node, state);
    return node;
  };
}

function initialEntries(value: PickleValue | undefined): (readonly [PickleValue, PickleValue])[] | undefined {
  if (value === undefined || value === null) return [];
  if (isKind(value, "dict")) return value.entries;
  if (!isKind(value, "list") && !isKind(value, "tuple")) return undefined;
  const pairs: [PickleValue, PickleValue][] = [];
  for (const pair of value.items) {
    if (!isKind(pair, "list") && !isKind(pair, "tuple")) return undefined;
    const [key, entry] = pair.items;
    if (key === undefined || entry === undefined) return undefined;
    pairs.push([key, entry]);
  }
  return pairs;
}

/** A sequence or set: its first argument and the items that were appended. */
function sequence(type: string): Constructor {
  return (args: readonly PickleValue[], call: PickleCall, builder: TreeBuilder, remember) => {
    const first = args[0];
    const initial =
      first === undefined
        ? []
        : isKind(first, "list") || isKind(first, "tuple") || isKind(first, "set") || isKind(first, "frozenset")
          ? first.items
          : undefined;
    if (initial === undefined) return undefined;
    const items: Tree[] = [];
    const node: Tree = { kind: "list", type, items };
    remember(node);
    for (const item of [...initial, ...(call.items ?? []), ...(call.setItems ?? [])]) items.push(builder.build(item));
    return node;
  };
}
