import type { Reading, Tree } from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { msgpackError } from "./cursor.js";
import { readExtension } from "./extensions.js";
import { MARKERS, type Marker } from "./markers.js";
import { type MsgpackContext, readLength, readNumber } from "./numbers.js";

/** Byte strings up to this size are kept as values; longer ones are only measured. */
const MOST_KEPT_BYTES = 64 * 1024;

/** A map or list that is being read. */
interface Open {
  readonly marker: "map" | "array";
  /** Values that are still to come: for a map, its values. */
  left: number;
  readonly items: Tree[];
  /** The entries of a map by their keys, so that of equal keys the last value counts. */
  readonly entries: Map<Tree, [Tree, Tree]>;
  key: Tree;
  readonly path: string;
}

/**
 * Reads one value with all that it holds. Payloads of arrays are passed over.
 *
 * @throws {CheckpointLoadError} MSGPACK_CORRUPT, LIMIT_EXCEEDED
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function* readValue(context: MsgpackContext): Reading<Tree> {
  const { cursor } = context;
  const { name } = cursor.source;
  const stack: Open[] = [];
  let count = 0;
  for (;;) {
    cursor.checkLimit("metadataValues", ++count, "Values");
    const top = stack.at(-1);
    if (top?.marker === "map") top.key = yield* readKey(context);
    const place = top === undefined ? "" : childPath(top);
    if (!cursor.has(1)) yield* cursor.fetch(1, "a value");
    const at = cursor.position;
    const marker = MARKERS[cursor.u8()];
    if (!marker || marker.kind === "never") throw msgpackError(name, `no value begins with the byte at ${at}`, { at });
    let value: Tree;
    if (marker.kind === "map" || marker.kind === "array") {
      const length = yield* readLength(cursor, marker);
      // Each value takes a byte at the least.
      cursor.check(marker.kind === "map" ? 2 * length : length, `a ${marker.kind} of ${length}`);
      if (length > 0) {
        cursor.checkLimit("treeDepth", stack.length + 1, "Nesting");
        stack.push({ marker: marker.kind, left: length, items: [], entries: new Map(), key: null, path: place });
        continue;
      }
      value = marker.kind === "map" ? { kind: "map", type: "dict", entries: [] } : { kind: "list", type: "list", items: [] };
    } else value = yield* readScalar(context, marker, place);
    for (;;) {
      const open = stack.at(-1);
      if (!open) return value;
      add(open, value, context);
      if (--open.left > 0) break;
      stack.pop();
      value =
        open.marker === "array"
          ? { kind: "list", type: "list", items: open.items }
          : context.finishMap({ kind: "map", type: "dict", entries: [...open.entries.values()] }, open.path);
    }
  }
}

function add(open: Open, value: Tree, { findings }: MsgpackContext): void {
  if (open.marker === "array") {
    open.items.push(value);
    return;
  }
  const before = open.entries.get(open.key);
  if (before) {
    findings.push({
      rule: "msgpack-duplicate-key",
      severity: "warning",
      message: `A map has the key ${quoted(String(open.key))} more than once: the last value counts.`,
      at: childPath(open),
    });
    before[1] = value;
  } else open.entries.set(open.key, [open.key, value]);
}

const childPath = ({ path, marker, key, items }: Open): string => {
  const step = marker === "array" ? String(items.length) : String(key);
  return path === "" ? step : `${path}.${step}`;
};

/** @throws {CheckpointLoadError} MSGPACK_CORRUPT for a key that holds other values, as no language hashes it */
function* readKey(context: MsgpackContext): Reading<Tree> {
  const { cursor } = context;
  if (!cursor.has(1)) yield* cursor.fetch(1, "a key");
  const at = cursor.position;
  const marker = MARKERS[cursor.u8()];
  if (!marker || marker.kind === "never" || marker.kind === "map" || marker.kind === "array" || marker.kind === "ext") {
    throw msgpackError(cursor.source.name, `the key at ${at} is no text or number`, { at });
  }
  const key = yield* readScalar(context, marker, "");
  if (key instanceof Uint8Array || typeof key !== "object" || key === null) return key;
  throw msgpackError(cursor.source.name, `the key at ${at} is no text or number`, { at });
}

/** A value that holds no others. */
function* readScalar(context: MsgpackContext, marker: Marker, place: string): Reading<Tree> {
  const { cursor } = context;
  switch (marker.kind) {
    case "small":
    case "bool":
      return marker.value;
    case "uint":
    case "int":
    case "float":
      return yield* readNumber(cursor, marker);
    case "str": {
      const length = yield* readLength(cursor, marker);
      if (!cursor.has(length)) yield* cursor.fetch(length, "a text");
      return cursor.text(length);
    }
    case "bin": {
      const length = yield* readLength(cursor, marker);
      if (length > MOST_KEPT_BYTES) {
        cursor.pass(length, "bytes");
        return { kind: "object", type: "builtins.bytes", attributes: { kind: "map", type: "dict", entries: [["length", length]] } };
      }
      if (!cursor.has(length)) yield* cursor.fetch(length, "bytes");
      return cursor.bytes(length);
    }
    case "ext":
      return yield* readExtension(context, yield* readLength(cursor, marker), place);
    default:
      return null;
  }
}
