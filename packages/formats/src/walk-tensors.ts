import {
  type Finding,
  isNode,
  type Limits,
  type ListNode,
  type ObjectNode,
  type PathKey,
  type TensorSpec,
  type Tree,
  type TreeNode,
} from "@ckptkit/core";
import { keyText } from "./key-text.js";

/** One reference to a tensor. */
export interface FoundTensor {
  /** Keys from the root. */
  keys: PathKey[];
  tensor: TensorSpec;
}

/** Under these keys stand the parts of an opaque object that have no names of their own. */
export const ARGUMENTS_KEY = "__args__";
export const STATE_KEY = "__state__";

/** Steps that a found tensor costs besides one a key: its handle takes as much memory as some ten small values. */
const STEPS_PER_TENSOR = 8;
/** Characters of a path that cost one step. */
const CHARACTERS_PER_STEP = 8;

/**
 * Lists every reference to a tensor in a tree, in its order: through maps by their keys, lists by their indices, and objects
 * by their attributes. Sets are not entered, for their members have no place, nor are attributes of maps. A tensor that stands
 * in two places is listed twice; a cycle is followed once.
 *
 * @param findings gets `tree-budget` when the limit `treeVisits` ends the walk early: time and memory stay bounded, however a
 * graph shares its parts and however long its keys are.
 */
export function findTensors(tree: Tree, limits: Limits, findings: Finding[]): FoundTensor[] {
  const walk = new Walk(limits.treeVisits, limits.tensors);
  if (isNode(tree)) walk.value(tree);
  if (walk.ended) {
    findings.push({
      rule: "tree-budget",
      severity: "error",
      message: `The object graph has more than ${limits.tensors} tensors or ${limits.treeVisits} steps: only the first ${walk.found.length} tensors are listed.`,
    });
  }
  return walk.found;
}

class Walk {
  readonly found: FoundTensor[] = [];
  readonly #keys: PathKey[] = [];
  /** Characters of the path so far. */
  #characters = 0;
  /** What is being walked: a node that comes up again below itself is a cycle. */
  readonly #open = new Set<object>();
  /** What was walked to its end without a tensor: where it is shared, one visit is enough. */
  readonly #barren = new Set<object>();
  #steps: number;
  readonly #tensors: number;

  constructor(steps: number, tensors: number) {
    this.#steps = steps;
    this.#tensors = tensors;
  }

  /** Whether a limit was reached. */
  get ended(): boolean {
    return this.#steps < 0 || this.found.length > this.#tensors;
  }

  /** Returns whether the walk below was complete and found nothing. */
  value(tree: TreeNode): boolean {
    switch (tree.kind) {
      case "tensor":
        this.#tensor(tree.tensor);
        return false;
      case "map":
      case "list":
      case "object": {
        if (isLeaf(tree)) {
          this.#steps -= tree.kind === "map" ? tree.entries.length : 0;
          return true;
        }
        if (this.#open.has(tree)) return false;
        this.#open.add(tree);
        const empty =
          tree.kind === "map"
            ? this.#entries(tree.entries)
            : tree.kind === "object"
              ? this.#object(tree)
              : isSet(tree) || this.#items(tree.items);
        this.#open.delete(tree);
        if (empty) this.#barren.add(tree);
        return empty;
      }
      default:
        return true;
    }
  }

  #tensor(tensor: TensorSpec): void {
    this.#steps -= STEPS_PER_TENSOR + this.#keys.length + Math.floor(this.#characters / CHARACTERS_PER_STEP);
    if (this.#steps < 0) return;
    this.found.push({ keys: this.#keys.slice(), tensor });
  }

  #object({ args, attributes, state, items, entries }: ObjectNode): boolean {
    let empty = true;
    const note = (partEmpty: boolean): void => {
      if (!partEmpty) empty = false;
    };
    if (args) {
      this.#enter(ARGUMENTS_KEY);
      note(this.#shared(args, () => this.#items(args)));
      this.#leave(ARGUMENTS_KEY);
    }
    if (attributes) note(this.#shared(attributes.entries, () => this.#entries(attributes.entries)));
    if (isNode(state)) {
      this.#enter(STATE_KEY);
      note(this.value(state));
      this.#leave(STATE_KEY);
    }
    if (items) note(this.#shared(items, () => this.#items(items)));
    if (entries) note(this.#shared(entries, () => this.#entries(entries)));
    return empty;
  }

  /** Walks a list that several objects may share, unless that is known to be in vain. */
  #shared(parts: object, walk: () => boolean): boolean {
    if (this.#barren.has(parts)) return true;
    const empty = walk();
    if (empty) this.#barren.add(parts);
    return empty;
  }

  #enter(key: PathKey): void {
    this.#keys.push(key);
    this.#characters += charactersOf(key);
  }

  #leave(key: PathKey): void {
    this.#keys.pop();
    this.#characters -= charactersOf(key);
  }

  #items(items: readonly Tree[]): boolean {
    let empty = true;
    for (let index = 0; index < items.length; index++) {
      if (!this.#step()) return false;
      const item = items[index];
      if (!isNode(item) || this.#barren.has(item)) continue;
      this.#enter(index);
      if (!this.value(item)) empty = false;
      this.#leave(index);
    }
    return empty;
  }

  #entries(entries: readonly (readonly [Tree, Tree])[]): boolean {
    let empty = true;
    for (const [key, value] of entries) {
      if (!this.#step()) return false;
      if (!isNode(value) || this.#barren.has(value)) continue;
      const step = pathKey(key);
      this.#enter(step);
      if (!this.value(value)) empty = false;
      this.#leave(step);
    }
    return empty;
  }

  #step(): boolean {
    this.#steps--;
    return !this.ended;
  }
}

/** Maps of plain values only, the most frequent nodes by far. */
const isLeaf = (tree: TreeNode): boolean =>
  tree.kind === "map" && !tree.entries.some((entry) => isNode(entry[1]) && entry[1].kind !== "real");

const isSet = ({ type }: ListNode): boolean => type === "set" || type === "frozenset";

const charactersOf = (key: PathKey): number => (typeof key === "string" ? key.length : 1);

const pathKey = (key: Tree): PathKey =>
  typeof key === "string" || (typeof key === "number" && Number.isInteger(key)) ? key : keyText(key);
