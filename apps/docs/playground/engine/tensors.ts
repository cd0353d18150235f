import { CheckpointError } from "@ckptkit/core";
import { parseFilter } from "./filter.js";
import type { Session, SessionId, Sessions } from "./sessions.js";
import { TensorOrders } from "./tensor-order.js";
import { type TensorListing, type TensorQuery, type TensorRow, TensorRows } from "./tensor-rows.js";

/** The most tensors whose names are handed over at once, for the clipboard. */
const NAMES_AT_ONCE = 100_000;

/** A module for the treemap: what is in it by size, and what is too small to be drawn as one. */
export interface MapNode {
  readonly name: string;
  readonly path: string;
  readonly value: number;
  /** Place in the checkpoint, where it is a tensor. */
  readonly tensor?: number;
  readonly children?: readonly MapNode[];
}

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

    /**
     * Modules and tensors under a path by their parameters, at most `levels` deep and `most` of each module's parts: the rest of them together
     * is one part.
     */
    map: async (id: SessionId, path = "", levels = 3, most = 40): Promise<MapNode> => {
      const session = sessions.get(id);
      const module = session.modules.find(path);
      if (module === undefined) throw new CheckpointError("UNKNOWN_TENSOR", `There is no module "${path}".`, { details: { path } });
      return mapOf(session, module, levels, most);
    },
  };
}

function tensorAt(session: Session, path: string): number {
  const tensor = session.columns.paths.indexOf(path);
  if (tensor >= 0) return tensor;
  const named = session.checkpoint.tensors.findIndex(({ name }) => name === path);
  if (named >= 0) return named;
  throw new CheckpointError("UNKNOWN_TENSOR", `The checkpoint has no tensor "${path}".`, { details: { path } });
}

function mapOf(session: Session, module: number, levels: number, most: number): MapNode {
  const { modules, columns } = session;
  const node = modules.node(module);
  const own = { name: node.name || "all", path: modules.path(module), value: node.params };
  if (levels === 0) return own;
  const sized = node.children.map((child) => ({
    child,
    value: child < 0 ? (columns.params[-1 - child] ?? 0) : modules.node(child).params,
  }));
  sized.sort((a, b) => b.value - a.value);
  const children = sized.slice(0, most).map(({ child, value }): MapNode => {
    if (child >= 0) return mapOf(session, child, levels - 1, most);
    return { name: modules.childName(child), path: columns.path(-1 - child), value, tensor: -1 - child };
  });
  const rest = sized.slice(most);
  const restValue = rest.reduce((sum, { value }) => sum + value, 0);
  if (restValue > 0) children.push({ name: `${rest.length} more`, path: own.path, value: restValue });
  return { ...own, children: children.filter(({ value }) => value > 0) };
}
