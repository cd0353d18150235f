import { formatSize, isNode, type Tree, type TreeNode } from "@ckptkit/core";
import { omegaconfValue, plainText } from "@ckptkit/formats";

/** Items of a list that are shown in its line. */
const INLINE_ITEMS = 16;
const BYTES_SHOWN = 16;
/** Lists in lists that are shown in one line. */
const MAX_DEPTH = 3;

/** A named part of a node. */
export interface TreePart {
  /** The key as text, the index, or a name in angle brackets for what has none in the file: `<args>`, `<state>`. */
  readonly label: string;
  readonly value: Tree;
}

/**
 * A value that fits into one line, as Python would write it; undefined for one that needs lines of its own. Strings are quoted and their control
 * characters escaped.
 *
 * @example treeText({ kind: "list", type: "tuple", items: [1, "a"] }) // '(1, "a")'
 */
export function treeText(value: Tree): string | undefined {
  return textOf(value, 0);
}

/**
 * What a node is, and of how many parts: `OrderedDict of 12`, `argparse.Namespace`.
 *
 * @example treeHead({ kind: "map", type: "dict", entries: [] }) // "dict of 0"
 */
export function treeHead(node: TreeNode): string {
  if (node.kind === "tensor") return `${node.tensor.dtype} [${node.tensor.shape.join(", ")}]${node.tensor.storage ? "" : " without bytes"}`;
  if (node.kind === "map") return `${typeText(node.type)} of ${node.entries.length}`;
  if (node.kind === "list") return `${typeText(node.type)} of ${node.items.length}`;
  if (node.kind !== "object") return node.kind;
  const held = settingsOf(node);
  const count =
    isNode(held) && (held.kind === "map" || held.kind === "list")
      ? ` of ${held.kind === "map" ? held.entries.length : held.items.length}`
      : "";
  return `${typeText(node.type)}${count}`;
}

/** What a container of omegaconf holds; undefined for everything else. */
function settingsOf(node: TreeNode): TreeNode | undefined {
  const held = node.kind === "object" ? omegaconfValue(node)?.value : undefined;
  return isNode(held) && (held.kind === "map" || held.kind === "list") ? held : undefined;
}

/** The named parts of a node, in the order of the file; none for a value that has no parts. */
export function treeParts(value: Tree): TreePart[] {
  if (!isNode(value)) return [];
  if (value.kind === "map") return [...value.entries.map(entry), ...(value.attributes?.entries ?? []).map(attribute)];
  if (value.kind === "list") return value.items.map(item);
  if (value.kind !== "object") return [];
  const held = settingsOf(value);
  if (held) return treeParts(held);
  const { args = [], attributes, state, items = [], entries = [] } = value;
  return [
    ...(args.length > 0 ? [{ label: "<args>", value: { kind: "list", type: "tuple", items: args } } as const] : []),
    ...(attributes?.entries ?? []).map(entry),
    ...(state === undefined ? [] : [{ label: "<state>", value: state }]),
    ...items.map(item),
    ...entries.map(entry),
  ];
}

const entry = ([key, value]: [Tree, Tree]): TreePart => ({ label: labelOf(key), value });
const item = (value: Tree, index: number): TreePart => ({ label: String(index), value });
/** Attributes of a map stand beside its keys. */
const attribute = ([key, value]: [Tree, Tree]): TreePart => ({ label: `<${labelOf(key)}>`, value });
/** A key of a map: text as it is, everything else as a value. */
const labelOf = (key: Tree): string => (typeof key === "string" ? key || '""' : (treeText(key) ?? "?"));

function textOf(value: Tree, depth: number): string | undefined {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "bigint") return realText(value);
  if (value instanceof Uint8Array) return bytesText(value);
  switch (value.kind) {
    case "real":
      return Number.isInteger(value.value) && Math.abs(value.value) < 1e16 ? `${value.value}.0` : realText(value.value);
    case "global":
      return `<${value.name}>`;
    case "list":
      return depth < MAX_DEPTH ? listText(value.type, value.items, depth) : undefined;
    case "map":
      return value.entries.length === 0 && !value.attributes ? `${typeText(value.type)}{}`.replace(/^dict/, "") : undefined;
    case "object": {
      const { type, args = [], attributes, state, items, entries } = value;
      const plain = plainText(value);
      if (plain !== undefined) return `${typeText(type)}(${JSON.stringify(plain)})`;
      const setting = omegaconfValue(value);
      if (setting) return depth < MAX_DEPTH ? textOf(setting.value, depth + 1) : undefined;
      if (attributes || state !== undefined || items || entries || depth >= MAX_DEPTH) return undefined;
      const text = listText("tuple", args, depth);
      return text === undefined ? undefined : `${typeText(type)}${text.replace(/,\)$/, ")")}`;
    }
    default:
      return undefined;
  }
}

/** `collections.OrderedDict` -> `OrderedDict`, `builtins.complex` -> `complex`: names that everyone knows without their module. */
const typeText = (type: string): string => type.replace(/^(collections|builtins)\./, "");

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
  for (const part of items) {
    // A node in a list may be the list itself.
    const text = isNode(part) && part.kind === "tensor" ? undefined : textOf(part, depth + 1);
    if (text === undefined) return undefined;
    parts.push(text);
  }
  const joined = parts.join(", ");
  if (type === "tuple") return `(${joined}${parts.length === 1 ? "," : ""})`;
  return type === "list" ? `[${joined}]` : `${typeText(type)}([${joined}])`;
}
