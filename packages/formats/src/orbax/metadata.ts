import { CheckpointLoadError, checkLimit, type Limits, type PathKey } from "@ckptkit/core";
import { isObject, type JsonObject } from "../zarr/json.js";

/** The error for metadata of Orbax that make no sense. */
export function orbaxError(name: string, why: string): CheckpointLoadError {
  return new CheckpointLoadError("ORBAX_CORRUPT", `${name} is no good description of an Orbax checkpoint: ${why}.`, {
    suggestions: ["Copy the folder again.", "Open its arrays alone by manifest.ocdbt."],
  });
}

/** A value of the tree that was saved. */
export interface SavedValue {
  /** Keys from the root; integers for places in sequences. */
  readonly keys: readonly PathKey[];
  /** The name under which its array is stored. */
  readonly name: string;
  /** What it was: `jax.Array`, `np.ndarray`, `scalar`, `string`, `None`, or a container without members. */
  readonly type: string;
  /** There is no array of it. */
  readonly isEmpty: boolean;
}

/** What `_METADATA` says. */
export interface TreeMetadata {
  readonly values: readonly SavedValue[];
  readonly usesOcdbt: boolean | undefined;
  readonly custom: unknown;
}

/** A place in a list or tuple. @see https://github.com/google/orbax checkpoint/orbax/checkpoint/_src/metadata/tree.py, KeyType */
const SEQUENCE = 1;

/**
 * Reads the description of a tree.
 *
 * @throws {CheckpointLoadError} ORBAX_CORRUPT, LIMIT_EXCEEDED
 * @see https://orbax.readthedocs.io/en/latest/guides/checkpoint/checkpoint_format.html
 */
export function treeMetadata(json: JsonObject, name: string, limits: Limits): TreeMetadata {
  const { tree_metadata: tree, use_ocdbt: usesOcdbt, custom_metadata: custom } = json;
  if (!isObject(tree)) throw orbaxError(name, "it is no JSON object with tree_metadata");
  const entries = Object.values(tree);
  checkLimit(limits, "tensors", entries.length, `Values of ${name}`);
  const values = entries.map((entry): SavedValue => {
    const described = isObject(entry) ? entry : {};
    const keys = Array.isArray(described.key_metadata) ? described.key_metadata.map(keyOf) : undefined;
    const value = isObject(described.value_metadata) ? described.value_metadata : {};
    if (!keys?.every((key) => key !== undefined)) throw orbaxError(name, "a value has no keys");
    checkLimit(limits, "treeDepth", keys.length, `Keys of a value of ${name}`);
    const type = typeof value.value_type === "string" ? value.value_type : "";
    return { keys, name: keys.join("."), type, isEmpty: value.skip_deserialize === true };
  });
  return { values, usesOcdbt: typeof usesOcdbt === "boolean" ? usesOcdbt : undefined, custom };
}

function keyOf(metadata: unknown): PathKey | undefined {
  const { key, key_type: type } = isObject(metadata) ? metadata : {};
  if (typeof key !== "string" && typeof key !== "number") return undefined;
  return type === SEQUENCE && /^\d{1,9}$/.test(String(key)) ? Number(key) : String(key);
}

/** An item of a checkpoint: something that was saved under a name of its own. */
export interface SavedItem {
  readonly name: string;
  /** Dotted name of the class that saved it. */
  readonly handler: string;
}

/** What `_CHECKPOINT_METADATA` says of the items; undefined for an item that lies in the folder itself. */
export function itemsOf(json: JsonObject, name: string, limits: Limits): readonly SavedItem[] | undefined {
  const { item_handlers: handlers } = json;
  if (!isObject(handlers)) return undefined;
  const items = Object.entries(handlers).map(([item, handler]) => ({ name: item, handler: typeof handler === "string" ? handler : "" }));
  checkLimit(limits, "files", items.length, `Items of ${name}`);
  return items;
}
