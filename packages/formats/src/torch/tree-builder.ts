import { CheckpointLoadError, checkLimit, type Finding, type Limits, type ObjectNode, type Storage, type Tree } from "@ckptkit/core";
import type { PickleCall, PickleValue } from "@ckptkit/pickle";
import { NUMPY_CONSTRUCTORS } from "./numpy-constructors.js";
import { PYTHON_CONSTRUCTORS } from "./python-constructors.js";
import { TENSOR_CONSTRUCTORS, tensorOfClass } from "./tensor-constructors.js";

/** The part of a storage that a persistent id of a pickle names. */
export interface StorageRequest {
  key: string;
  /** Bytes that the whole storage must have. */
  byteLength: number;
  /** Legacy files: the part of the root storage that this storage is a view of, in bytes. */
  view?: { start: number; end: number };
}

/** Finds storages in one file. @throws {CheckpointLoadError} TORCH_STORAGE_MISSING, TORCH_STORAGE_SIZE */
export type FindStorage = (request: StorageRequest) => Storage;

/**
 * Gives a meaning to a call that a pickle records, from its arguments; undefined when they are not what the real
 * constructor takes, so that it is shown as an opaque object. `remember` is called with a container before its members are
 * built, because they may refer back to it.
 */
export type Constructor = (
  args: readonly PickleValue[],
  call: PickleCall,
  builder: TreeBuilder,
  remember: (node: Tree) => void,
) => Tree | undefined;

const CONSTRUCTORS: ReadonlyMap<string, Constructor> = new Map([
  ...Object.entries(TENSOR_CONSTRUCTORS),
  ...Object.entries(NUMPY_CONSTRUCTORS),
  ...Object.entries(PYTHON_CONSTRUCTORS),
]);

/**
 * Turns the graph of a pickle into a tree: an exact table of known constructors gives tensors, arrays and collections their
 * meaning; everything else stays a named, opaque object. Nothing is imported and nothing is called.
 */
export class TreeBuilder {
  readonly findings: Finding[] = [];
  readonly limits: Limits;
  readonly findStorage: FindStorage;
  readonly #built = new Map<object, Tree>();
  readonly #building = new Set<object>();
  #depth = 0;
  #arrays = 0;

  constructor(findStorage: FindStorage, limits: Limits) {
    this.findStorage = findStorage;
    this.limits = limits;
  }

  /** The tree of one value. The same node gives the same tree. */
  build(value: PickleValue): Tree {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
    const built = this.#built.get(value);
    if (built !== undefined) return built;
    if (this.#building.has(value)) return { kind: "object", type: "builtins.ellipsis" }; // its own argument: no writer makes it
    checkLimit(this.limits, "treeDepth", ++this.#depth, "Nesting of the pickled object");
    this.#building.add(value);
    const tree = this.#node(value, (node) => this.#built.set(value, node));
    this.#building.delete(value);
    this.#built.set(value, tree);
    this.#depth--;
    return tree;
  }

  /** A number for the storage of the next array that lies inside the pickle. */
  nextArrayId(): number {
    return this.#arrays++;
  }

  buildAll(values: readonly PickleValue[]): Tree[] {
    return values.map((value) => this.build(value));
  }

  buildEntries(entries: readonly (readonly [PickleValue, PickleValue])[]): [Tree, Tree][] {
    return entries.map(([key, entry]) => [this.build(key), this.build(entry)]);
  }

  /** The dotted name of a global, with `getattr(Global, "name")` folded; undefined for anything else. */
  nameOf(value: PickleValue | undefined): string | undefined {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
    if (value.kind === "global") return `${value.module}.${value.name}`;
    if (value.kind !== "call" || this.nameOf(value.callable) !== "builtins.getattr") return undefined;
    const [owner, attribute] = value.args;
    const ownerName = this.nameOf(owner);
    return ownerName !== undefined && typeof attribute === "string" ? `${ownerName}.${attribute}` : undefined;
  }

  /** Runs the constructor of a dotted name; undefined when there is none or the arguments do not fit. */
  construct(name: string, args: readonly PickleValue[], call: PickleCall, remember: (node: Tree) => void = () => {}): Tree | undefined {
    const known = CONSTRUCTORS.get(name);
    if (known) return known(args, call, this, remember);
    return tensorOfClass(name, call, this);
  }

  #node(value: Exclude<PickleValue, null | boolean | number | bigint | string | Uint8Array>, remember: (node: Tree) => void): Tree {
    switch (value.kind) {
      case "real":
        return value;
      case "dict": {
        const entries: [Tree, Tree][] = [];
        const node: Tree = { kind: "map", type: "dict", entries };
        remember(node);
        for (const [key, entry] of value.entries) entries.push([this.build(key), this.build(entry)]);
        return node;
      }
      case "list":
      case "tuple":
      case "set":
      case "frozenset": {
        const items: Tree[] = [];
        const node: Tree = { kind: "list", type: value.kind, items };
        remember(node);
        for (const item of value.items) items.push(this.build(item));
        return node;
      }
      case "bytearray":
        return value.bytes;
      case "global":
        return { kind: "global", name: `${value.module}.${value.name}` };
      case "persistent":
        return { kind: "object", type: "persistent id", args: [this.build(value.id)] };
      case "buffer":
        return { kind: "object", type: "out-of-band buffer" };
      case "call":
        return this.#call(value, remember);
    }
  }

  #call(call: PickleCall, remember: (node: Tree) => void): Tree {
    const folded = this.nameOf(call);
    if (folded !== undefined) return { kind: "global", name: folded };
    const name = this.nameOf(call.callable);
    // Arguments that are themselves the result of a call are not known, and no known constructor is called so.
    const known = name === undefined || call.star !== undefined ? undefined : this.construct(name, call.args, call, remember);
    return known ?? this.opaque(name ?? "(unnamed)", call.star === undefined ? call.args : [call.star], call, remember);
  }

  /** An object of a class that has no meaning here. */
  opaque(type: string, args: readonly PickleValue[], call: PickleCall, remember: (node: Tree) => void): ObjectNode {
    const node: { -readonly [key in keyof ObjectNode]: ObjectNode[key] } = { kind: "object", type };
    remember(node);
    const kwargs = call.kwargs === undefined ? [] : [call.kwargs];
    if (args.length > 0 || kwargs.length > 0) node.args = this.buildAll([...args, ...kwargs]);
    for (const state of call.states ?? []) this.addState(node, state);
    if (call.items) node.items = this.buildAll(call.items);
    if (call.entries) node.entries = this.buildEntries(call.entries);
    if (call.setItems) node.items = [...(node.items ?? []), { kind: "list", type: "set", items: this.buildAll(call.setItems) }];
    return node;
  }

  /** Adds what BUILD gave: a map of attributes, the pair (attributes, slots), or a state that only the class understands. */
  addState(node: { attributes?: ObjectNode["attributes"]; state?: Tree }, state: PickleValue): void {
    const parts =
      isKind(state, "tuple") && state.items.length === 2 && state.items.every((part) => part === null || isKind(part, "dict"))
        ? state.items
        : [state];
    for (const part of parts) {
      if (part === null) continue;
      const built = this.build(part);
      if (isKind(part, "dict") && typeof built === "object" && built !== null && "kind" in built && built.kind === "map") {
        node.attributes ??= { kind: "map", type: "dict", entries: [] };
        node.attributes.entries.push(...built.entries);
      } else node.state = built;
    }
  }
}

type Kind = Extract<PickleValue, { kind: string }>["kind"];

/** Whether a value is the node of this kind. */
export function isKind<K extends Kind>(value: PickleValue | undefined, kind: K): value is Extract<PickleValue, { kind: K }> {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array) && value.kind === kind;
}

/** The error for parts of a torch file that do not fit together. */
export function torchError(message: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("TORCH_CORRUPT", message, { details });
}
