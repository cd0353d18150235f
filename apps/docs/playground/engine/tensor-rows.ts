import type { TensorColumns } from "./columns.js";
import type { TensorFilter } from "./filter.js";
import { asChild, type ModuleIndex } from "./module-index.js";
import { type ModuleSums, sumModules } from "./module-sums.js";
import type { Mark } from "./sessions.js";
import type { TensorListing, TensorQuery, TensorRow } from "./tensor-listing.js";
import { type Compare, type TensorOrders, tensorCompare } from "./tensor-order.js";

/** The most modules that are opened by themselves when something was looked for. */
const OPEN_WHEN_FOUND = 300;
/** A tree is first opened until about so many rows show. */
const FIRST_ROWS = 14;

/** Rows of one table: positions are tensors or modules, as the children of modules are written. */
export class TensorRows {
  readonly #columns: TensorColumns;
  readonly #modules: () => ModuleIndex;
  readonly #orders: TensorOrders;
  readonly #marks: ReadonlyMap<number, Mark>;
  #query: TensorQuery = { mode: "flat", filter: "", sort: "file", descending: false };
  #found: Uint8Array | undefined;
  #sums: ModuleSums | undefined;
  /** 1 for each module that is open. */
  #open: Uint8Array = new Uint8Array(0);
  #rows: Int32Array = new Int32Array(0);
  #version = 0;
  #totals = { tensors: 0, params: 0, bytes: 0 };

  constructor(columns: TensorColumns, modules: () => ModuleIndex, orders: TensorOrders, marks: ReadonlyMap<number, Mark>) {
    this.#columns = columns;
    this.#modules = modules;
    this.#orders = orders;
    this.#marks = marks;
  }

  /** Lists what a query asks for. Open modules stay open unless the filter is another. */
  list(query: TensorQuery, filter: TensorFilter | undefined): TensorListing {
    const isOther = query.filter !== this.#query.filter || this.#version === 0;
    const wasFlat = this.#query.mode === "flat";
    this.#query = query;
    if (isOther) this.#find(filter);
    if (query.mode === "tree") {
      if (isOther || wasFlat) this.#sums = sumModules(this.#modules(), this.#columns, (tensor) => this.#isFound(tensor));
      if (isOther || this.#open.length === 0) this.#openFirst(filter !== undefined);
    }
    return this.#layOut();
  }

  /** Opens or closes a module, or with `deep` it and all in it. */
  toggle(module: number, open: boolean, deep: boolean): TensorListing {
    const modules = this.#modules();
    const stack = [module];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      this.#open[id] = open ? 1 : 0;
      if (deep) for (const child of modules.node(id).children) if (child >= 0) stack.push(child);
    }
    return this.#layOut();
  }

  /** The rows [start, end), as far as there are any. */
  rows(start: number, end: number): TensorRow[] {
    return Array.from(this.#rows.subarray(start, end), (child) => (child < 0 ? this.#tensorRow(asChild(child)) : this.#moduleRow(child)));
  }

  /** Opens the modules around a tensor and tells its row; -1 when the filter leaves it out. */
  reveal(tensor: number): { row: number; listing: TensorListing } {
    if (this.#query.mode === "tree") {
      const modules = this.#modules();
      for (let id = modules.moduleOf[tensor] ?? 0; id > 0; id = modules.node(id).parent) this.#open[id] = 1;
    }
    const listing = this.#layOut();
    return { row: this.#rows.indexOf(asChild(tensor)), listing };
  }

  /** The row of the module that a row stands in; -1 for rows at the top. */
  parentRow(row: number): number {
    const child = this.#rows[row];
    if (child === undefined || this.#query.mode === "flat") return -1;
    const modules = this.#modules();
    const parent = child < 0 ? (modules.moduleOf[asChild(child)] ?? 0) : modules.node(child).parent;
    return parent <= 0 ? -1 : this.#rows.lastIndexOf(parent, row);
  }

  /** All tensors that were found, in the order of the table. */
  *found(): Generator<number> {
    const order = this.#orders.by(this.#query.mode === "tree" ? "file" : this.#query.sort);
    for (let at = 0; at < order.length; at++) {
      const tensor = order[this.#query.descending ? order.length - 1 - at : at] ?? 0;
      if (this.#isFound(tensor)) yield tensor;
    }
  }

  #isFound(tensor: number): boolean {
    return this.#found === undefined || this.#found[tensor] === 1;
  }

  #find(filter: TensorFilter | undefined): void {
    const { count, params, bytes } = this.#columns;
    this.#found = filter && new Uint8Array(count);
    this.#totals = { tensors: 0, params: 0, bytes: 0 };
    for (let tensor = 0; tensor < count; tensor++) {
      if (filter && !filter(tensor)) continue;
      if (this.#found) this.#found[tensor] = 1;
      this.#totals.tensors++;
      this.#totals.params += params[tensor] ?? 0;
      this.#totals.bytes += bytes[tensor] ?? 0;
    }
  }

  /** Opens the tree as far as a person wants to see at first: some rows, or what was looked for. */
  #openFirst(isSearch: boolean): void {
    const modules = this.#modules();
    const shown = (id: number): boolean => (this.#sums?.tensors[id] ?? 0) > 0;
    this.#open = new Uint8Array(modules.nodes.length);
    let opened = 0;
    const queue = [0];
    let rows = 0;
    for (let at = 0; at < queue.length; at++) {
      const id = queue[at] ?? 0;
      const children = modules.node(id).children.filter((child) => child >= 0 && shown(child));
      const enough = isSearch ? opened >= OPEN_WHEN_FOUND : rows > 0 && rows + modules.node(id).children.length > FIRST_ROWS;
      if (enough) continue;
      this.#open[id] = 1;
      opened++;
      rows += modules.node(id).children.length;
      queue.push(...children.slice(0, OPEN_WHEN_FOUND));
    }
  }

  #layOut(): TensorListing {
    this.#rows = this.#query.mode === "tree" ? this.#treeRows() : this.#flatRows();
    this.#version++;
    return { ...this.#totals, rows: this.#rows.length, version: this.#version };
  }

  #flatRows(): Int32Array {
    const rows = new Int32Array(this.#totals.tensors);
    let at = 0;
    for (const tensor of this.found()) rows[at++] = asChild(tensor);
    return rows;
  }

  #treeRows(): Int32Array {
    const modules = this.#modules();
    const compare = this.#compareChildren();
    const isShown = (child: number): boolean => (child < 0 ? this.#isFound(asChild(child)) : (this.#sums?.tensors[child] ?? 0) > 0);
    const rows: number[] = [];
    const stack: number[] = [];
    const push = (id: number): void => {
      const { children } = modules.node(id);
      const ordered = compare && children.length > 1 ? [...children].sort(compare) : children;
      for (let at = ordered.length - 1; at >= 0; at--) {
        const child = ordered[at] ?? 0;
        if (this.#found === undefined || isShown(child)) stack.push(child);
      }
    };
    push(0);
    for (let child = stack.pop(); child !== undefined; child = stack.pop()) {
      rows.push(child);
      if (child >= 0 && this.#open[child] === 1) push(child);
    }
    return new Int32Array(rows);
  }

  /** Compares what stands in one module. Modules come before tensors where a key does not tell them apart. */
  #compareChildren(): Compare | undefined {
    const { sort, descending } = this.#query;
    if (sort === "file" && !descending) return undefined;
    const modules = this.#modules();
    const sign = descending ? -1 : 1;
    if (sort === "params" || sort === "bytes") {
      const sums = this.#sums?.[sort];
      const value = (child: number): number => (child < 0 ? this.#columns[sort][asChild(child)] : sums?.[child]) ?? 0;
      return (a, b) => sign * (value(a) - value(b));
    }
    const first = (child: number): number => (child < 0 ? asChild(child) : firstTensor(modules, child));
    const tensors = tensorCompare(sort, this.#columns, modules);
    if (sort === "name" || sort === "file") return (a, b) => sign * tensors(first(a), first(b));
    return (a, b) => (a >= 0 && b >= 0 ? 0 : a >= 0 ? -1 : b >= 0 ? 1 : sign * tensors(asChild(a), asChild(b)));
  }

  #tensorRow(index: number): TensorRow {
    const columns = this.#columns;
    const tensor = columns.tensors[index];
    const path = columns.path(index);
    const modules = this.#query.mode === "tree" ? this.#modules() : undefined;
    const mark = this.#marks.get(index);
    return {
      id: index,
      kind: "tensor",
      label: modules ? modules.childName(asChild(index)) : path,
      path,
      depth: modules ? modules.node(modules.moduleOf[index] ?? 0).depth + 1 : 0,
      params: columns.params[index] ?? 0,
      bytes: columns.bytes[index] ?? 0,
      dtype: tensor?.dtype ?? "",
      shape: tensor?.shape ?? [],
      ...(mark && { mark }),
    };
  }

  #moduleRow(id: number): TensorRow {
    const modules = this.#modules();
    const { name, depth } = modules.node(id);
    const sums = this.#sums;
    return {
      id,
      kind: "module",
      label: name,
      path: modules.path(id),
      depth,
      params: sums?.params[id] ?? 0,
      bytes: sums?.bytes[id] ?? 0,
      tensors: sums?.tensors[id] ?? 0,
      open: this.#open[id] === 1,
    };
  }
}

/** Any tensor of a module: its first in file order, which is the place of the module itself. */
function firstTensor(modules: ModuleIndex, module: number): number {
  for (let child: number | undefined = module; child !== undefined; child = modules.node(child).children[0]) {
    if (child < 0) return asChild(child);
  }
  return 0;
}
