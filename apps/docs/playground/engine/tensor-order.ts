import type { TensorColumns } from "./columns.js";
import type { ModuleIndex } from "./module-index.js";

/** By what tensors can be sorted. */
export const SORT_KEYS = ["file", "name", "dtype", "shape", "params", "bytes"] as const;

/** One of {@link SORT_KEYS}. */
export type SortKey = (typeof SORT_KEYS)[number];

/** Compares two numbered things; 0 leaves them in file order. */
export type Compare = (a: number, b: number) => number;

/** Compares two tensors by a key. */
export function tensorCompare(key: SortKey, columns: TensorColumns, modules: ModuleIndex): Compare {
  const numbers =
    (of: ArrayLike<number>): Compare =>
    (a, b) =>
      (of[a] ?? 0) - (of[b] ?? 0);
  switch (key) {
    case "file":
      return (a, b) => a - b;
    case "name":
      return numbers(modules.nameRanks);
    case "dtype": {
      const order = [...columns.dtypes].sort();
      const ranks = columns.dtypes.map((dtype) => order.indexOf(dtype));
      return (a, b) => (ranks[columns.dtypeOf[a] ?? 0] ?? 0) - (ranks[columns.dtypeOf[b] ?? 0] ?? 0);
    }
    case "shape":
      return (a, b) => compareShapes(columns.tensors[a]?.shape ?? [], columns.tensors[b]?.shape ?? []);
    case "params":
      return numbers(columns.params);
    case "bytes":
      return numbers(columns.bytes);
  }
}

/** Fewer axes first, then smaller ones. */
function compareShapes(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [axis, size] of a.entries()) {
    const difference = size - (b[axis] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Orders of all tensors, each made once: a filter then only leaves some of them out. */
export class TensorOrders {
  readonly #made = new Map<SortKey, Uint32Array>();
  readonly #columns: TensorColumns;
  readonly #modules: () => ModuleIndex;

  constructor(columns: TensorColumns, modules: () => ModuleIndex) {
    this.#columns = columns;
    this.#modules = modules;
  }

  /** All tensors, the smallest first. */
  by(key: SortKey): Uint32Array {
    let order = this.#made.get(key);
    if (order) return order;
    order = Uint32Array.from({ length: this.#columns.count }, (_, index) => index);
    if (key === "name") {
      // Ranks say where each tensor stands; nothing needs to be compared.
      for (const [tensor, rank] of this.#modules().nameRanks.entries()) order[rank] = tensor;
    } else if (key !== "file") {
      order.sort(tensorCompare(key, this.#columns, this.#modules()));
    }
    this.#made.set(key, order);
    return order;
  }
}
