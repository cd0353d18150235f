import type { TensorSpec } from "./tensor.js";

/**
 * What a checkpoint holds besides its tensors' bytes, as inert data. Nothing in it was executed, and every class is only a name.
 *
 * Numbers: an integer is a `number`, or a `bigint` beyond 2^53 - 1; a real number is a `number`, or a {@link RealNode} where its
 * value is integral (1.0), so that 1 and 1.0 stay apart.
 */
export type Tree = null | boolean | number | bigint | string | Uint8Array | TreeNode;

/** The compound values of a {@link Tree}. The graph may share nodes and hold cycles. */
export type TreeNode = RealNode | MapNode | ListNode | ObjectNode | GlobalNode | TensorNode;

/** A real number with an integral value, such as 1.0. */
export interface RealNode {
  readonly kind: "real";
  readonly value: number;
}

/** Keys and values in their order. Keys are any values; equal keys were merged by the reader as Python does, the last value winning. */
export interface MapNode {
  readonly kind: "map";
  /** `dict`, or the dotted name of a mapping class: `collections.OrderedDict`, `omegaconf...`. */
  readonly type: string;
  readonly entries: [Tree, Tree][];
  /** Attributes of the mapping object itself, such as `_metadata` of a state dict. */
  attributes?: MapNode;
}

/** Values in their order. */
export interface ListNode {
  readonly kind: "list";
  /** `list`, `tuple`, `set`, `frozenset`, or the dotted name of a sequence class such as `torch.Size`. */
  readonly type: string;
  readonly items: Tree[];
}

/** An instance of a class that has no other meaning here: its name and what it was made from. */
export interface ObjectNode {
  readonly kind: "object";
  /** Dotted name of the class or function: `argparse.Namespace`. */
  readonly type: string;
  /** Arguments of its construction. */
  readonly args?: Tree[];
  /** Attributes by name, in their order. */
  attributes?: MapNode;
  /** State that is not a map of attributes. */
  state?: Tree;
  /** Appended items, when the class is a sequence. */
  items?: Tree[];
  /** Set items, when the class is a mapping. */
  entries?: [Tree, Tree][];
}

/** A class, function or constant that is named and not made: `torch.float32`, `functools.partial`. */
export interface GlobalNode {
  readonly kind: "global";
  /** Dotted name. */
  readonly name: string;
}

/** A place where a tensor stands in the tree. Places that share one tensor share one node. */
export interface TensorNode {
  readonly kind: "tensor";
  readonly tensor: TensorSpec;
}

/** One step of a path: a map key or attribute name, or a list index or integer key. */
export type PathKey = string | number;

/** Whether a value is one of the compound nodes. */
export function isNode(value: Tree | undefined): value is TreeNode {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

/** An integral real number, told apart from the integer of the same value. Others are plain numbers. */
export function realNumber(value: number): number | RealNode {
  return Number.isInteger(value) ? { kind: "real", value } : value;
}

/** The value as a number where it is one: integers within 2^53 - 1, real numbers. */
export function asNumber(value: Tree | undefined): number | undefined {
  if (typeof value === "number") return value;
  return isNode(value) && value.kind === "real" ? value.value : undefined;
}

/**
 * The value under a string key of a map, or under an attribute of an object.
 *
 * @example const epoch = asNumber(getEntry(checkpoint.tree, "epoch"));
 */
export function getEntry(node: Tree | undefined, key: string): Tree | undefined {
  if (!isNode(node)) return undefined;
  const entries = node.kind === "map" ? node.entries : node.kind === "object" ? (node.attributes?.entries ?? node.entries) : undefined;
  return entries?.find((entry) => entry[0] === key)?.[1];
}
