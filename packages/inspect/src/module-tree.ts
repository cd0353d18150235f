import type { Checkpoint, TensorGroup, TensorHandle } from "@ckptkit/core";
import type { TensorSum } from "./summary/sums.js";
import { TieGroups } from "./tie-groups.js";

/**
 * A module, or another place in which tensors stand. Its sums are over everything below it; tied tensors count in parameters and
 * bytes where they stand first.
 */
export interface ModuleNode extends TensorSum {
  /** The last step of its path; "" for the root. */
  name: string;
  /** Steps from the root, joined with '.'. */
  path: string;
  /** Parameters of each dtype below it. */
  dtypes: { [dtype: string]: number };
  /** Its own tensors: the last step of their names, and their place in the list that the tree was made of. */
  own: { name: string; index: number }[];
  /** The modules in it, in the order of the file. */
  children: ModuleNode[];
}

/** Which tensors a module tree shows, and how deep. */
export interface ModuleTreeOptions {
  /** Groups of tensors; by default the model's, or all where there is no model. */
  groups?: readonly TensorGroup[] | undefined;
  /** Steps that may be nested; what follows them stays one name. Default 64. */
  maxDepth?: number | undefined;
}

/** Whole modules nest to about 20; a name of nothing but dots shall not make a tree that cannot be printed. */
const MAX_DEPTH = 64;

/** Parts the keys of tensors outside the model, which may hold dots. */
const KEY_SEPARATOR = "\u0000";

/**
 * The tree of a checkpoint's modules by the dots in its tensors' names, with sums for each. Reads nothing. Names of model weights
 * are their names in the state dict; other tensors stand under their keys, each one step however many dots it has.
 *
 * @example
 * const root = moduleTree(checkpoint);
 * root.children.map(({ name, parameters }) => `${name}: ${parameters}`); // ["encoder: 85054464", "head: 769000"]
 */
export function moduleTree(source: Checkpoint | readonly TensorHandle[], options: ModuleTreeOptions = {}): ModuleNode {
  const tensors: readonly TensorHandle[] = "tensors" in source ? source.tensors : source;
  const maxDepth = Math.max(1, options.maxDepth ?? MAX_DEPTH);
  const groups = options.groups ?? (tensors.some(({ group }) => group === "model") ? ["model"] : undefined);
  const tree = new TreeMaker(maxDepth);
  const ties = new TieGroups();
  for (const [index, tensor] of tensors.entries()) {
    if (!groups || groups.includes(tensor.group)) tree.add(tensor, index, ties.add(tensor));
  }
  return tree.finish();
}

/** A node in the making; its sums are its own tensors' alone until the end. */
interface Growing {
  readonly node: ModuleNode;
  /** The steps to it, with their separator. */
  readonly key: string;
  readonly parent: Growing | undefined;
  readonly depth: number;
  children: Map<string, Growing> | undefined;
}

class TreeMaker {
  readonly #maxDepth: number;
  readonly #root: Growing = grow("", "", ".", undefined);
  /** In the order of their making: parents before children. */
  readonly #all: Growing[] = [this.#root];
  /** Where the tensor before stood: the next one is mostly near. */
  #last = this.#root;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  add(tensor: TensorHandle, index: number, isFirst: boolean): void {
    const { dtype, elementCount, byteLength } = tensor;
    const isModel = tensor.group === "model";
    const { at, name } = this.#place(isModel ? tensor.name : tensor.keys.join(KEY_SEPARATOR), isModel ? "." : KEY_SEPARATOR);
    const { node } = at;
    node.own.push({ name, index });
    node.tensors++;
    addParameters(node, dtype, isFirst ? elementCount : 0);
    if (!isFirst) return;
    node.parameters += elementCount;
    node.byteLength += byteLength;
  }

  /** Adds what stands in modules to the modules around them. */
  finish(): ModuleNode {
    for (let index = this.#all.length - 1; index > 0; index--) {
      const { node, parent } = this.#all[index] ?? this.#root;
      if (!parent) continue;
      parent.node.tensors += node.tensors;
      parent.node.parameters += node.parameters;
      parent.node.byteLength += node.byteLength;
      for (const dtype of Object.keys(node.dtypes)) addParameters(parent.node, dtype, node.dtypes[dtype] ?? 0);
    }
    return this.#root.node;
  }

  /** Finds or makes the module of a tensor; the last step of its path is the tensor's own name, and keeps what is too deep. */
  #place(path: string, separator: string): { at: Growing; name: string } {
    const end = path.lastIndexOf(separator);
    let at = this.#last;
    while (at.parent && !(path.startsWith(at.key) && path[at.key.length] === separator)) at = at.parent;
    let start = at.parent ? at.key.length + 1 : 0;
    while (start <= end && at.depth < this.#maxDepth - 1) {
      const next = path.indexOf(separator, start);
      const name = path.slice(start, next);
      at.children ??= new Map();
      let child = at.children.get(name);
      if (!child) {
        child = grow(name, path.slice(0, next), separator, at);
        at.children.set(name, child);
        at.node.children.push(child.node);
        this.#all.push(child);
      }
      at = child;
      start = next + 1;
    }
    this.#last = at;
    return { at, name: plain(path.slice(start), separator) };
  }
}

const plain = (text: string, separator: string): string => (separator === "." ? text : text.replaceAll(separator, "."));

const grow = (name: string, key: string, separator: string, parent: Growing | undefined): Growing => ({
  node: { name, path: plain(key, separator), tensors: 0, parameters: 0, byteLength: 0, dtypes: {}, own: [], children: [] },
  key,
  parent,
  depth: parent ? parent.depth + 1 : 0,
  children: undefined,
});

function addParameters({ dtypes }: ModuleNode, dtype: string, parameters: number): void {
  const value = (Object.hasOwn(dtypes, dtype) ? (dtypes[dtype] ?? 0) : 0) + parameters;
  if (dtype !== "__proto__") dtypes[dtype] = value;
  // A dtype's name like any other, in a format that has names of its own.
  else Object.defineProperty(dtypes, dtype, { value, enumerable: true, configurable: true, writable: true });
}
