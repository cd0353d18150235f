import { CheckpointError, isNode } from "@ckptkit/core";
import { describeTree } from "@ckptkit/formats";
import type { SessionId, Sessions } from "../sessions.js";
import { type ObjectRow, ObjectRows } from "./tree-rows.js";

/** The area behind the view of everything that a checkpoint says, as inert data. */
export function createObjectTree(sessions: Sessions) {
  const open = new WeakMap<object, ObjectRows>();
  const rowsOf = (id: SessionId): ObjectRows => {
    const session = sessions.get(id);
    let rows = open.get(session);
    if (!rows) {
      rows = new ObjectRows(session.checkpoint.tree);
      open.set(session, rows);
    }
    return rows;
  };

  return {
    /** How many lines are open. */
    count: async (id: SessionId): Promise<number> => rowsOf(id).count,

    /** The lines [start, end). */
    rows: async (id: SessionId, start: number, end: number): Promise<ObjectRow[]> => rowsOf(id).rows(start, end),

    /** Opens or closes a line; gives how many are open then. */
    toggle: async (id: SessionId, row: number, isOpen: boolean): Promise<number> => {
      const rows = rowsOf(id);
      rows.toggle(row, isOpen);
      return rows.count;
    },

    /** Lines that hold a text. */
    search: async (id: SessionId, text: string): Promise<{ rows: (ObjectRow & { path: string })[]; isCut: boolean }> =>
      rowsOf(id).search(text),

    /** Opens what leads to a line. */
    reveal: async (id: SessionId, at: readonly number[]): Promise<{ row: number; count: number }> => {
      const rows = rowsOf(id);
      const row = rows.reveal(at);
      return { row, count: rows.count };
    },

    /** The path of the tensor at a line; undefined where none of the checkpoint's stands there. */
    tensorPath: async (id: SessionId, at: readonly number[]): Promise<string | undefined> => {
      const value = rowsOf(id).valueAt(at);
      if (value === undefined || !isNode(value) || value.kind !== "tensor") return undefined;
      const { tensors } = sessions.get(id).checkpoint;
      const same = tensors.filter(({ spec }) => spec === value.tensor);
      // Tied tensors have one node in several places.
      return (same.find(({ keys }) => keys.length === at.length) ?? same[0])?.path;
    },

    /** A value as JSON text; tensors are left out. The whole tree for `[]`. @throws {CheckpointError} INVALID_ARGUMENT */
    json: async (id: SessionId, at: readonly number[]): Promise<string> => {
      const { metadata } = sessions.get(id).checkpoint;
      if (at.length === 0) return JSON.stringify(metadata, null, 2);
      const value = rowsOf(id).valueAt(at);
      if (value === undefined) throw new CheckpointError("INVALID_ARGUMENT", "There is no such value.");
      const described = describeTree(isNode(value) ? value : { kind: "list", type: "list", items: [value] });
      return JSON.stringify(isNode(value) ? described : listed(described), null, 2);
    },
  };
}

/** The one item of a list that was put around a plain value. */
const listed = (described: { readonly [key: string]: unknown }): unknown =>
  Array.isArray(described.value) ? described.value[0] : described;
