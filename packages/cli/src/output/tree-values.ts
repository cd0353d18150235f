import { formatSize, isNode, type Tree } from "@ckptkit/core";
import { printable } from "./printable.js";

/** Items of a list that are shown in its line. */
const INLINE_ITEMS = 16;
const BYTES_SHOWN = 16;
/** Lists in lists that are shown in one line. */
const MAX_DEPTH = 3;

/** A key of a map: text as it is, everything else as a value. */
export const keyText = (key: Tree): string => (typeof key === "string" ? printable(key) || '""' : (inlineText(key) ?? "?"));

/** A value that fits into one line, as Python would write it; undefined for one that needs lines of its own. */
export function inlineText(value: Tree, depth = 0): string | undefined {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return JSON.stringify(value).replace(/[^\x20-\x7e]+/g, printable);
  if (typeof value === "number" || typeof value === "bigint") return realText(value);
  if (value instanceof Uint8Array) return bytesText(value);
  switch (value.kind) {
    case "real":
      return Number.isInteger(value.value) && Math.abs(value.value) < 1e16 ? `${value.value}.0` : realText(value.value);
    case "global":
      return `<${printable(value.name)}>`;
    case "list":
      return depth < MAX_DEPTH ? listText(value.type, value.items, depth) : undefined;
    case "map":
      return value.entries.length === 0 && !value.attributes ? `${typeText(value.type)}{}`.replace(/^dict/, "") : undefined;
    case "object": {
      const { type, args = [], attributes, state, items, entries } = value;
      if (attributes || state !== undefined || items || entries || depth >= MAX_DEPTH) return undefined;
      const text = listText("tuple", args, depth);
      return text === undefined ? undefined : `${typeText(type)}${text.replace(/,\)$/, ")")}`;
    }
    default:
      return undefined;
  }
}

/** `collections.OrderedDict` -> `OrderedDict`, `builtins.complex` -> `complex`: names that everyone knows without their module. */
export const typeText = (type: string): string => printable(type.replace(/^(collections|builtins)\./, ""));

function realText(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function bytesText(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, BYTES_SHOWN)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `bytes(${formatSize(bytes.length)}${bytes.length > 0 ? `: ${shown}${bytes.length > BYTES_SHOWN ? " ..." : ""}` : ""})`;
}

function listText(type: string, items: readonly Tree[], depth: number): string | undefined {
  if (items.length > INLINE_ITEMS) return undefined;
  const parts: string[] = [];
  for (const item of items) {
    // A node in a list may be the list itself.
    const text = isNode(item) && item.kind === "tensor" ? undefined : inlineText(item, depth + 1);
    if (text === undefined) return undefined;
    parts.push(text);
  }
  const joined = parts.join(", ");
  if (type === "tuple") return `(${joined}${parts.length === 1 ? "," : ""})`;
  return type === "list" ? `[${joined}]` : `${typeText(type)}([${joined}])`;
}
