import { checkLimit, type Finding, type Limits, type ObjectNode, type RealNode, type Tree } from "@ckptkit/core";
import type {
  PickleCall,
  PickleDict,
  PickleList,
  PickleNode,
  PicklePersistent,
  PickleSet,
  PickleTuple,
  PickleValue,
} from "@ckptkit/pickle";
import { type BuildContext, type Constructor, type FindStorage, isKind } from "./build-context.js";
import { GlobalNames } from "./global-names.js";
import { NUMPY_CONSTRUCTORS } from "./numpy-constructors.js";
import { PYTHON_CONSTRUCTORS } from "./python-constructors.js";
import { resolveStorage } from "./storage-id.js";
import { TENSOR_CONSTRUCTORS, tensorOfClass } from "./tensor-constructors.js";

/** Constructors by the dotted names that pickles give them. */
export type Constructors = ReadonlyMap<string, Constructor>;

/** What the pickles of a kind of file have of their own. */
export interface PickleKind {
  readonly constructors?: Constructors;
  /** What a persistent id stands for that is neither a storage nor a class. */
  persistent?(id: PickleValue): Tree | undefined;
}

const CONSTRUCTORS: Constructors = new Map([
  ...Object.entries(TENSOR_CONSTRUCTORS),
  ...Object.entries(NUMPY_CONSTRUCTORS),
  ...Object.entries(PYTHON_CONSTRUCTORS),
]);

type Plain = Exclude<Tree, object> | Uint8Array | RealNode;

/** Whether a value is the same in a pickle and in a tree. */
function isPlain(value: PickleValue): value is Plain {
  return typeof value !== "object" || value === null || value instanceof Uint8Array || value.kind === "real";
}

/** Findings of one rule that are listed. */
const FINDINGS_PER_RULE = 100;

/**
 * Turns the graph of a pickle into a tree: an exact table of known constructors gives tensors, arrays and collections their
 * meaning; everything else stays a named, opaque object. Nothing is imported and nothing is called. Takes time and memory in
 * proportion to the graph, however its parts are shared.
 */
export class TreeBuilder implements BuildContext {
  readonly findings: Finding[] = [];
  readonly limits: Limits;
  readonly findStorage: FindStorage;
  readonly #built = new Map<object, Tree>();
  readonly #lists = new Map<object, Tree[]>();
  readonly #entries = new Map<object, [Tree, Tree][]>();
  readonly #building = new Set<object>();
  readonly #noted = new Map<string, number>();
  readonly #names = new GlobalNames();
  readonly #kind: PickleKind;
  #depth = 0;
  #arrays = 0;
  #copied = 0;

  constructor(findStorage: FindStorage, limits: Limits, kind: PickleKind = {}) {
    this.findStorage = findStorage;
    this.limits = limits;
    this.#kind = kind;
  }

  build(value: PickleValue): Tree {
    if (isPlain(value)) return value;
    const built = this.#built.get(value);
    if (built !== undefined) return built;
    this.#enter();
    const tree = this.#node(value);
    this.#depth--;
    return tree;
  }

  nextArrayId(): number {
    return this.#arrays++;
  }

  note(finding: Finding): void {
    const same = (this.#noted.get(finding.rule) ?? 0) + 1;
    this.#noted.set(finding.rule, same);
    if (same <= FINDINGS_PER_RULE) this.findings.push(finding);
  }

  charge(items: number): void {
    this.#copied += items;
    if (this.#copied <= this.limits.treeVisits) return;
    checkLimit(this.limits, "treeVisits", this.#copied, "Items given to several constructors");
  }

  buildAll(values: readonly PickleValue[]): Tree[] {
    const known = this.#lists.get(values);
    if (known) return known;
    const built: Tree[] = [];
    this.#lists.set(values, built);
    for (const value of values) built.push(this.build(value));
    return built;
  }

  buildEntries(keysAndValues: readonly PickleValue[]): [Tree, Tree][] {
    const known = this.#entries.get(keysAndValues);
    if (known) return known;
    const built: [Tree, Tree][] = [];
    this.#entries.set(keysAndValues, built);
    this.#addEntries(built, keysAndValues);
    return built;
  }

  nameOf(value: PickleValue | undefined): string | undefined {
    return this.#names.of(value);
  }

  construct(name: string, args: readonly PickleValue[], call: PickleCall, remember: (node: Tree) => void = () => {}): Tree | undefined {
    this.#enter(); // a constructor may name another one, and so on
    const known = CONSTRUCTORS.get(name) ?? this.#kind.constructors?.get(name);
    const tree = known ? known(args, call, this, remember) : tensorOfClass(name, call, this);
    this.#depth--;
    return tree;
  }

  #enter(): void {
    this.#depth++;
    if (this.#depth > this.limits.treeDepth) checkLimit(this.limits, "treeDepth", this.#depth, "Nesting of the pickled object");
  }

  #node(value: Exclude<PickleNode, RealNode>): Tree {
    switch (value.kind) {
      case "dict":
        return this.#dict(value);
      case "list":
      case "tuple":
      case "set":
      case "frozenset":
        return this.#list(value);
      case "bytearray":
        return value.bytes;
      case "global":
        return this.#remember(value, { kind: "global", name: this.#names.dotted(value) });
      case "buffer":
        return { kind: "object", type: "out-of-band buffer" };
    }
    if (this.#building.has(value)) return { kind: "object", type: "builtins.ellipsis" }; // its own argument: no writer makes it
    this.#building.add(value);
    const tree = value.kind === "persistent" ? this.#persistent(value) : this.#call(value, (node) => this.#built.set(value, node));
    this.#building.delete(value);
    return this.#remember(value, tree);
  }

  #remember(value: PickleNode, tree: Tree): Tree {
    this.#built.set(value, tree);
    return tree;
  }

  #dict(value: PickleDict): Tree {
    const entries: [Tree, Tree][] = [];
    const node = this.#remember(value, { kind: "map", type: "dict", entries });
    this.#addEntries(entries, value.keysAndValues);
    return node;
  }

  #addEntries(entries: [Tree, Tree][], keysAndValues: readonly PickleValue[]): void {
    for (let at = 0; at + 1 < keysAndValues.length; at += 2) {
      const [key = null, value = null] = [keysAndValues[at], keysAndValues[at + 1]];
      entries.push([isPlain(key) ? key : this.build(key), isPlain(value) ? value : this.build(value)]);
    }
  }

  #list(value: PickleList | PickleTuple | PickleSet): Tree {
    const { kind, items } = value;
    if (items.every(isPlain)) return this.#remember(value, { kind: "list", type: kind, items: items as Tree[] }); // checked
    const made: Tree[] = [];
    const node = this.#remember(value, { kind: "list", type: kind, items: made });
    for (const item of items) made.push(this.build(item));
    return node;
  }

  #persistent(value: PicklePersistent): Tree {
    const [tag] = isKind(value.id, "tuple") ? value.id.items : [];
    if (tag === "storage") resolveStorage(value.id, this); // a storage of its own, without a tensor: must be there all the same
    const meant = this.#kind.persistent?.(value.id);
    if (meant !== undefined) return meant;
    const name = this.nameOf(value);
    return name === undefined ? { kind: "object", type: "persistent id", args: [this.build(value.id)] } : { kind: "global", name };
  }

  #call(call: PickleCall, remember: (node: Tree) => void): Tree {
    const folded = this.nameOf(call);
    if (folded !== undefined) return { kind: "global", name: folded };
    const name = this.nameOf(call.callable);
    // Arguments that are themselves the result of a call are not known, and no known constructor is called so.
    const known = name === undefined || call.star !== undefined ? undefined : this.construct(name, call.args, call, remember);
    return known ?? this.opaque(name ?? "(unnamed)", call.star === undefined ? call.args : [call.star], call, remember);
  }

  opaque(type: string, args: readonly PickleValue[], call: PickleCall, remember: (node: Tree) => void): ObjectNode {
    const node: { -readonly [key in keyof ObjectNode]: ObjectNode[key] } = { kind: "object", type };
    remember(node);
    if (call.kwargs !== undefined) {
      this.charge(args.length);
      node.args = [...this.buildAll(args), this.build(call.kwargs)];
    } else if (args.length > 0) node.args = this.buildAll(args);
    for (const state of call.states ?? []) this.addState(node, state);
    if (call.items) node.items = this.buildAll(call.items);
    if (call.keysAndValues) node.entries = this.buildEntries(call.keysAndValues);
    if (call.setItems) {
      this.charge(node.items?.length ?? 0);
      node.items = [...(node.items ?? []), { kind: "list", type: "set", items: this.buildAll(call.setItems) }];
    }
    return node;
  }

  addState(node: { attributes?: ObjectNode["attributes"]; state?: Tree }, state: PickleValue): void {
    const isPair = isKind(state, "tuple") && state.items.length === 2 && state.items.every((part) => part === null || isKind(part, "dict"));
    for (const part of isPair ? state.items : [state]) {
      if (part === null) continue;
      if (!isKind(part, "dict")) {
        node.state = this.build(part);
        continue;
      }
      const entries = this.buildEntries(part.keysAndValues);
      const before = node.attributes?.entries ?? [];
      this.charge(before.length === 0 ? 0 : before.length + entries.length);
      // Shared with other objects of the same state as long as there is nothing to add: never changed in place.
      node.attributes = { kind: "map", type: "dict", entries: before.length === 0 ? entries : [...before, ...entries] };
    }
  }
}
