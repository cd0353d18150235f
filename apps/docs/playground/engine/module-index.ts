import type { TensorColumns } from "./columns.js";
import { compareNatural } from "./natural-order.js";

/** A module, or another inner node of the tensors' paths. */
export interface ModuleEntry {
  readonly id: number;
  /** Last segment of its path. */
  readonly name: string;
  /** -1 for the root. */
  readonly parent: number;
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
    const byName: Map<string, number>[] = [];
    const add = (name: string, parent: number): number => {
      const id = this.nodes.length;
      const depth = (this.nodes[parent]?.depth ?? -2) + 1;
      this.nodes.push({ id, name, parent, depth, children: [], tensors: 0, params: 0, bytes: 0 });
      byName.push(new Map());
      return id;
    };
    add("", -1);
    // Neighbours in a file share most of their path: what they share is found in the last tensor's modules.
    let lastPath = "";
    let lastModule = 0;
    for (let tensor = 0; tensor < columns.count; tensor++) {
      const path = columns.path(tensor);
      const end = path.lastIndexOf(".");
      let module = 0;
      if (end >= 0) {
        const prefix = path.slice(0, end);
        if (prefix === lastPath) module = lastModule;
        else {
          for (const segment of prefix.split(".")) {
            let next = byName[module]?.get(segment);
            if (next === undefined) {
              next = add(segment, module);
              byName[module]?.set(segment, next);
              this.node(module).children.push(next);
            }
            module = next;
          }
          lastPath = prefix;
          lastModule = module;
        }
      }
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
