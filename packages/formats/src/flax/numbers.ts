import { type Finding, type MapNode, type Reading, realNumber, type Tree } from "@ckptkit/core";
import type { MsgpackCursor } from "./cursor.js";
import type { Marker } from "./markers.js";

/** What the reading of all values needs. */
export interface MsgpackContext {
  readonly cursor: MsgpackCursor;
  readonly findings: Finding[];
  /** Makes of a map that was read what it stands for. */
  finishMap(map: MapNode, at: string): Tree;
}

/** How many bytes or values belong to a marker. */
export function* readLength(cursor: MsgpackCursor, { lengthBytes, length }: Extract<Marker, { lengthBytes: number }>): Reading<number> {
  if (lengthBytes === 0) return length;
  if (!cursor.has(lengthBytes)) yield* cursor.fetch(lengthBytes, "a length");
  return lengthBytes === 1 ? cursor.u8() : lengthBytes === 2 ? cursor.u16() : cursor.u32();
}

/** A number whose marker was read. */
export function* readNumber(cursor: MsgpackCursor, { kind, bytes }: Extract<Marker, { bytes: number }>): Reading<Tree> {
  if (!cursor.has(bytes)) yield* cursor.fetch(bytes, "a number");
  if (kind === "float") return realNumber(bytes === 4 ? cursor.f32() : cursor.f64());
  const read =
    kind === "uint"
      ? { 1: cursor.u8, 2: cursor.u16, 4: cursor.u32, 8: cursor.u64 }
      : { 1: cursor.i8, 2: cursor.i16, 4: cursor.i32, 8: cursor.i64 };
  return read[bytes]();
}
