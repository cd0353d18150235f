import type { Mark } from "./sessions.js";
import type { SortKey } from "./tensor-order.js";

/** How the tensors are listed. */
export interface TensorQuery {
  readonly mode: "tree" | "flat";
  /** See `parseFilter`. */
  readonly filter: string;
  readonly sort: SortKey;
  readonly descending: boolean;
}

/** What is shown: how many rows, and what was found in all. */
export interface TensorListing {
  /** Rows: tensors, and the open modules of a tree. */
  readonly rows: number;
  readonly tensors: number;
  readonly params: number;
  readonly bytes: number;
  /** Rises with every change, so that rows of an older listing are told apart. */
  readonly version: number;
}

/** One row of the table. */
export interface TensorRow {
  /** A tensor's place in the checkpoint; a module's id for `kind` module. */
  readonly id: number;
  readonly kind: "tensor" | "module";
  /** The whole path in a flat table, its last segment in a tree. */
  readonly label: string;
  readonly path: string;
  readonly depth: number;
  readonly params: number;
  readonly bytes: number;
  readonly dtype?: string;
  readonly shape?: readonly number[];
  readonly mark?: Mark;
  /** Modules only: tensors in it that were found, and whether it is open. */
  readonly tensors?: number;
  readonly open?: boolean;
}
