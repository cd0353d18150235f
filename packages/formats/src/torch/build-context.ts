import { CheckpointLoadError, type Finding, type Limits, type ObjectNode, type Storage, type Tree } from "@ckptkit/core";
import type { PickleCall, PickleNode, PickleValue } from "@ckptkit/pickle";

/** The part of a storage that a persistent id of a pickle names. */
export interface StorageRequest {
  key: string;
  /** Bytes that the whole storage must have. */
  byteLength: number;
  /** Bytes of one of its elements. */
  itemBytes: number;
  /** Legacy files: the part of the root storage that this storage is a view of, in bytes. */
  view?: { start: number; end: number };
}

/** Finds storages in one file. @throws {CheckpointLoadError} TORCH_STORAGE_MISSING, TORCH_STORAGE_SIZE */
export type FindStorage = (request: StorageRequest) => Storage;

/** What the constructors of values may use while a tree is being built. */
export interface BuildContext {
  readonly limits: Limits;
  readonly findStorage: FindStorage;
  /** The tree of one value. The same node gives the same tree. */
  build(value: PickleValue): Tree;
  /** The trees of values. The same array gives the same array, which is not to be changed. */
  buildAll(values: readonly PickleValue[]): Tree[];
  /** The trees of keys and values. The same array gives the same array, which is not to be changed. */
  buildEntries(keysAndValues: readonly PickleValue[]): [Tree, Tree][];
  /** The dotted name of a global or class; undefined for anything else. */
  nameOf(value: PickleValue | undefined): string | undefined;
  /** Runs the constructor of a dotted name; undefined when there is none or the arguments do not fit. */
  construct(name: string, args: readonly PickleValue[], call: PickleCall, remember?: (node: Tree) => void): Tree | undefined;
  /** An object of a class that has no meaning here. */
  opaque(type: string, args: readonly PickleValue[], call: PickleCall, remember: (node: Tree) => void): ObjectNode;
  /** Adds what BUILD gave: a map of attributes, the pair (attributes, slots), or a state that only the class understands. */
  addState(node: { attributes?: ObjectNode["attributes"]; state?: Tree }, state: PickleValue): void;
  /**
   * Counts items that are about to be copied. Picklers write each item once; a stream that gives one long list to thousands
   * of calls is ended here. @throws {CheckpointLoadError} LIMIT_EXCEEDED
   */
  charge(items: number): void;
  /** Adds a finding, unless there are very many of its rule already. */
  note(finding: Finding): void;
  /** A number for the storage of the next array that lies inside the pickle. */
  nextArrayId(): number;
}

/**
 * Gives a meaning to a call that a pickle records, from its arguments; undefined when they are not what the real
 * constructor takes, so that it is shown as an opaque object. `remember` is called with a container before its members are
 * built, because they may refer back to it.
 */
export type Constructor = (
  args: readonly PickleValue[],
  call: PickleCall,
  context: BuildContext,
  remember: (node: Tree) => void,
) => Tree | undefined;

/** Whether a value is the node of this kind. */
export function isKind<K extends PickleNode["kind"]>(value: PickleValue | undefined, kind: K): value is Extract<PickleNode, { kind: K }> {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array) && value.kind === kind;
}

/** What a value is, in a few words, for messages: hostile values may be large, or hold themselves. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value !== "object") return String(value).slice(0, 40);
  if (value === null) return "None";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return value.kind === "real" ? `the float ${value.value}` : `a ${value.kind}`;
}

/** The error for parts of a torch file that do not fit together. */
export function torchError(message: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("TORCH_CORRUPT", message, { details });
}
