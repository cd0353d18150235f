import { CheckpointError } from "@ckptkit/core";
import { parseFilter } from "./filter.js";
import type { Session, SessionId, Sessions } from "./sessions.js";
import type { TensorListing, TensorQuery, TensorRow } from "./tensor-listing.js";
import { TensorOrders } from "./tensor-order.js";
import { TensorRows } from "./tensor-rows.js";

/** The most tensors whose names are handed over at once, for the clipboard. */
const NAMES_AT_ONCE = 100_000;

/** The area behind tables, trees and the map of tensors. */
export function createTensors(sessions: Sessions) {
  const tables = new Map<SessionId, TensorRows>();
  const rowsOf = (id: SessionId): TensorRows => {
    const session = sessions.get(id);
    let rows = tables.get(id);
    if (!rows) {
      const orders = new TensorOrders(session.columns, () => session.modules);
      rows = new TensorRows(session.columns, () => session.modules, orders, session.marks);
      tables.set(id, rows);
    }
    return rows;
  };

  return {
    /**
     * Filters and sorts, and tells how many rows there are.
     *
     * @throws {CheckpointConfigError} INVALID_ARGUMENT for a filter that means nothing
     */
    list: async (id: SessionId, query: TensorQuery): Promise<TensorListing> => {
      const filter = parseFilter(query.filter, sessions.get(id).columns);
      return rowsOf(id).list(query, filter);
    },

    /** The rows [start, end) of the listing. */
    rows: async (id: SessionId, start: number, end: number): Promise<TensorRow[]> => rowsOf(id).rows(start, end),

    /** Opens or closes a module of the tree; with `deep`, all in it too. */
    toggle: async (id: SessionId, module: number, open: boolean, deep = false): Promise<TensorListing> =>
      rowsOf(id).toggle(module, open, deep),

    /** The row of the module that a row stands in; -1 for rows at the top. */
    parentRow: async (id: SessionId, row: number): Promise<number> => rowsOf(id).parentRow(row),

    /** The row of the tensor at a path, its modules opened; -1 when the filter leaves it out. @throws {CheckpointError} UNKNOWN_TENSOR */
    reveal: async (id: SessionId, path: string): Promise<{ row: number; listing: TensorListing }> =>
      rowsOf(id).reveal(tensorAt(sessions.get(id), path)),

    /** Names of the tensors that were found, one a line. */
    names: async (id: SessionId): Promise<{ text: string; count: number; isCut: boolean }> => {
      const names: string[] = [];
      for (const tensor of rowsOf(id).found()) {
        if (names.length === NAMES_AT_ONCE) return { text: names.join("\n"), count: names.length, isCut: true };
        names.push(sessions.get(id).columns.path(tensor));
      }
      return { text: names.join("\n"), count: names.length, isCut: false };
    },

    /** The dtypes that occur, for the filter. */
    dtypes: async (id: SessionId): Promise<readonly string[]> => sessions.get(id).columns.dtypes,
  };
}

function tensorAt(session: Session, path: string): number {
  const tensor = session.columns.paths.indexOf(path);
  if (tensor >= 0) return tensor;
  const named = session.checkpoint.tensors.findIndex(({ name }) => name === path);
  if (named >= 0) return named;
  throw new CheckpointError("UNKNOWN_TENSOR", `The checkpoint has no tensor "${path}".`, { details: { path } });
}
