import type { TensorColumns } from "./columns.js";
import { compareNatural } from "./natural-order.js";

/** A module, or another inner node of the tensors' paths. */
export interface ModuleEntry {
  readonly id: number;
  /** Last segment of its path. */
  readonly name: string;
  /** -1 for the root. */
  readonly parent: number;
  /** 0 for the root. */
  readonly depth: number;
  /** What is in it, in file order: modules by their ids, tensors as -1 - index. */
  readonly children: number[];
  /** Everything below it. */
  tensors: number;
  params: number;
  bytes: number;
}

/** A child that is a tensor, as {@link ModuleEntry.children} holds it; its own inverse. */
export const asChild = (tensor: number): number => -1 - tensor;

/** The tensors by module path: "a.b.weight" stands in module "a.b". Parents have smaller ids than what is in them. */
export class ModuleIndex {
  readonly nodes: ModuleEntry[] = [];
  /** Module of each tensor. */
  readonly moduleOf: Int32Array;
  readonly #columns: TensorColumns;
  #ranks: Uint32Array | undefined;

  constructor(columns: TensorColumns) {
    this.#columns = columns;
    this.moduleOf = new Int32Array(columns.count);
    const names = new ChildNames(this.nodes);
    this.nodes.push({ id: 0, name: "", parent: -1, depth: 0, children: [], tensors: 0, params: 0, bytes: 0 });
    // Neighbours in a file share most of their path: the modules of the last one, from the root on, and where their names end in its path.
    let last = "";
    const modules = [0];
    const ends = [-1];
    for (let tensor = 0; tensor < columns.count; tensor++) {
      const path = columns.path(tensor);
      const prefixEnd = path.lastIndexOf(".");
      let shared = 0;
      while (
        shared < modules.length - 1 &&
        (ends[shared + 1] ?? 0) <= prefixEnd &&
        sharesSegment(path, last, (ends[shared] ?? 0) + 1, ends[shared + 1] ?? 0)
      )
        shared++;
      modules.length = shared + 1;
      ends.length = shared + 1;
      for (let start = (ends[shared] ?? -1) + 1; start <= prefixEnd; ) {
        const end = path.indexOf(".", start);
        modules.push(names.child(modules.at(-1) ?? 0, path.slice(start, end)));
        ends.push(end);
        start = end + 1;
      }
      last = path;
      const module = modules.at(-1) ?? 0;
      this.moduleOf[tensor] = module;
      const node = this.node(module);
      node.children.push(asChild(tensor));
      node.tensors++;
      node.params += columns.params[tensor] ?? 0;
      node.bytes += columns.bytes[tensor] ?? 0;
    }
    for (let id = this.nodes.length - 1; id > 0; id--) {
      const node = this.node(id);
      const parent = this.node(node.parent);
      parent.tensors += node.tensors;
      parent.params += node.params;
      parent.bytes += node.bytes;
    }
  }

  node(id: number): ModuleEntry {
    const node = this.nodes[id];
    if (!node) throw new RangeError(`There is no module ${id}.`);
    return node;
  }

  /** Dotted path of a module; "" for the root. */
  path(id: number): string {
    const names: string[] = [];
    for (let node = this.nodes[id]; node && node.parent >= 0; node = this.nodes[node.parent]) names.push(node.name);
    return names.reverse().join(".");
  }

  /** The module at a dotted path. */
  find(path: string): number | undefined {
    if (path === "") return 0;
    let module = 0;
    for (const segment of path.split(".")) {
      const next = this.node(module).children.find((child) => child >= 0 && this.node(child).name === segment);
      if (next === undefined) return undefined;
      module = next;
    }
    return module;
  }

  /** A child's own name: the last segment of its path. */
  childName(child: number): string {
    if (child >= 0) return this.node(child).name;
    const path = this.#columns.path(asChild(child));
    return path.slice(path.lastIndexOf(".") + 1);
  }

  /**
   * The place of each tensor in the order of names, in which layer 2 comes before layer 10. Names are compared within one module only, so
   * the order of half a million takes little more than reading them.
   */
  get nameRanks(): Uint32Array {
    if (this.#ranks) return this.#ranks;
    const ranks = new Uint32Array(this.#columns.count);
    let next = 0;
    const stack: number[] = [0];
    for (let child = stack.pop(); child !== undefined; child = stack.pop()) {
      if (child < 0) ranks[asChild(child)] = next++;
      else for (const inner of this.#byName(child).reverse()) stack.push(inner);
    }
    this.#ranks = ranks;
    return ranks;
  }

  #byName(module: number): number[] {
    const named = this.node(module).children.map((child) => ({ child, name: this.childName(child) }));
    return named.sort((a, b) => compareNatural(a.name, b.name)).map(({ child }) => child);
  }
}

/** Whether two paths have the same text in [start, end] (the dot at its end too), given that they agree before it. */
function sharesSegment(path: string, last: string, start: number, end: number): boolean {
  for (let at = end; at >= start; at--) if (path.charCodeAt(at) !== last.charCodeAt(at)) return false;
  return true;
}

/** Modules with so many parts get a map of names; in smaller ones looking at each is faster, and takes no memory. */
const MAPPED_FROM = 16;

/** Finds modules by name in their parents, and makes those that are not there. */
class ChildNames {
  readonly #nodes: ModuleEntry[];
  readonly #maps = new Map<number, Map<string, number>>();

  constructor(nodes: ModuleEntry[]) {
    this.#nodes = nodes;
  }

  child(parent: number, name: string): number {
    const { children = [], depth = 0 } = this.#nodes[parent] ?? {};
    let map = this.#maps.get(parent);
    if (!map && children.length >= MAPPED_FROM) {
      map = new Map(children.flatMap((id) => (id < 0 ? [] : [[this.#nodes[id]?.name ?? "", id]])));
      this.#maps.set(parent, map);
    }
    const found = map ? map.get(name) : children.find((id) => this.#nodes[id]?.name === name);
    if (found !== undefined) return found;
    const id = this.#nodes.length;
    this.#nodes.push({ id, name, parent, depth: depth + 1, children: [], tensors: 0, params: 0, bytes: 0 });
    children.push(id);
    map?.set(name, id);
    return id;
  }
}
