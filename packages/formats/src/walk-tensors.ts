import { type Finding, isNode, type Limits, type PathKey, type TensorSpec, type Tree } from "@ckptkit/core";
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
const CHARACTERS_PER_STEP = 16;

/**
 * Lists every reference to a tensor in a tree, in its order: through maps by their keys, lists by their indices, and objects
 * by their attributes. Sets are not entered, for their members have no place, nor are attributes of maps. A tensor that stands
 * in two places is listed twice; a cycle is followed once.
 *
 * @param findings gets `tree-budget` when the limit `treeVisits` ends the walk early: time and memory stay bounded, however a
 * graph shares its parts and however long its keys are.
 */
export function findTensors(tree: Tree, limits: Limits, findings: Finding[]): FoundTensor[] {
  const walk = new Walk(Math.min(limits.treeVisits, Number.MAX_SAFE_INTEGER), limits.tensors);
  walk.value(tree);
  if (walk.ended) {
    findings.push({
      rule: "tree-budget",
      severity: "error",
      message: `The object graph has more than the ${limits.tensors} tensors or ${limits.treeVisits} steps that are followed; tensors beyond the first ${walk.found.length} are not listed.`,
    });
  }
  return walk.found;
}

/** The parts of a node that can lead to tensors: lists by their indices, entries by their keys. */
type Parts = readonly Tree[] | readonly (readonly [Tree, Tree])[];

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
  value(tree: Tree): boolean {
    if (!isNode(tree)) return true;
    switch (tree.kind) {
      case "tensor":
        this.#tensor(tree.tensor);
        return false;
      case "map":
        return this.#guarded(tree, () => this.#entries(tree.entries));
      case "list":
        return tree.type === "set" || tree.type === "frozenset" || this.#guarded(tree, () => this.#items(tree.items));
      case "object":
        return this.#guarded(tree, () => {
          const { args, attributes, state, items, entries } = tree;
          const empty = [
            args === undefined || this.#under(ARGUMENTS_KEY, () => this.#shared(args, () => this.#items(args))),
            attributes === undefined || this.#shared(attributes.entries, () => this.#entries(attributes.entries)),
            state === undefined || this.#under(STATE_KEY, () => this.value(state)),
            items === undefined || this.#shared(items, () => this.#items(items)),
            entries === undefined || this.#shared(entries, () => this.#entries(entries)),
          ];
          return empty.every(Boolean);
        });
      default:
        return true;
    }
  }

  #tensor(tensor: TensorSpec): void {
    this.#steps -= STEPS_PER_TENSOR + this.#keys.length + Math.floor(this.#characters / CHARACTERS_PER_STEP);
    if (this.#steps < 0) return;
    this.found.push({ keys: this.#keys.slice(), tensor });
  }

  /** Walks a node unless that is known to be in vain. */
  #guarded(node: object, walk: () => boolean): boolean {
    if (this.#barren.has(node)) return true;
    if (this.#open.has(node)) return false;
    this.#open.add(node);
    const empty = walk();
    this.#open.delete(node);
    if (empty) this.#barren.add(node);
    return empty;
  }

  /** Walks a list that several objects may share, unless that is known to be in vain. */
  #shared(parts: Parts, walk: () => boolean): boolean {
    if (this.#barren.has(parts)) return true;
    const empty = walk();
    if (empty) this.#barren.add(parts);
    return empty;
  }

  #under(key: PathKey, walk: () => boolean): boolean {
    const characters = typeof key === "string" ? key.length : 1;
    this.#keys.push(key);
    this.#characters += characters;
    const empty = walk();
    this.#keys.pop();
    this.#characters -= characters;
    return empty;
  }

  #items(items: readonly Tree[]): boolean {
    let empty = true;
    for (let index = 0; index < items.length && this.#step(); index++) {
      const item = items[index];
      if (isNode(item) && !this.#under(index, () => this.value(item))) empty = false;
    }
    return empty && !this.ended;
  }

  #entries(entries: readonly (readonly [Tree, Tree])[]): boolean {
    let empty = true;
    for (const [key, value] of entries) {
      if (!this.#step()) break;
      if (isNode(value) && !this.#under(pathKey(key), () => this.value(value))) empty = false;
    }
    return empty && !this.ended;
  }

  #step(): boolean {
    this.#steps--;
    return !this.ended;
  }
}

const pathKey = (key: Tree): PathKey =>
  typeof key === "string" || (typeof key === "number" && Number.isInteger(key)) ? key : keyText(key);
