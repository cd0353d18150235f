import {
  CheckpointError,
  type Finding,
  isNode,
  type Limits,
  type MapNode,
  type OpenOptions,
  realNumber,
  TensorHandle,
  type TensorSpec,
  type Tree,
} from "@ckptkit/core";
import { canDecode, decodeNumbers } from "@ckptkit/wasm/js";
import { quoted } from "../quoted.js";
import type { ArrayDescription } from "../zarr/array.js";
import { describeV2 } from "../zarr/array-v2.js";
import { describeV3 } from "../zarr/array-v3.js";
import type { ArrayContext } from "../zarr/chunk-reader.js";
import { type JsonObject, objectAt } from "../zarr/json.js";
import { arrayContext, closeContext } from "../zarr/reader.js";
import { folderStore, type KeyStore } from "../zarr/store.js";
import { arrayTree, PathTree } from "../zarr/tree.js";
import { type SavedValue, treeMetadata } from "./metadata.js";
import { arrayStore } from "./stores.js";

/** One tree of a checkpoint. */
export interface OpenedItem {
  readonly tree: MapNode;
  readonly custom: unknown;
  close(): Promise<void>;
}

/** Arrays whose metadata are read side by side. */
const AT_ONCE = 16;
/** Numbers that are read when a checkpoint is opened: step, learning rate and the like. */
const MOST_NUMBERS = 64;
/** Where strings of a tree are. @see https://github.com/google/orbax checkpoint/orbax/checkpoint/_src/serialization/type_handlers.py, StringHandler */
const STRINGS = "_strings.json";

/**
 * Opens the tree that `_METADATA` of a folder describes.
 *
 * @param folder with "/" at its end; "" for that of the file in hand.
 * @throws {CheckpointLoadError} ORBAX_CORRUPT, OCDBT_CORRUPT, LIMIT_EXCEEDED
 */
export async function openItem(
  json: JsonObject,
  folder: string,
  name: string,
  limits: Limits,
  findings: Finding[],
  options: OpenOptions,
): Promise<OpenedItem> {
  const { values, usesOcdbt, custom } = treeMetadata(json, name, limits);
  const store = await arrayStore(folder, usesOcdbt, name, limits, findings, options);
  const context = arrayContext(store, limits);
  try {
    const strings = values.some(({ type }) => type === "string")
      ? await objectAt(folderStore(options, name, folder), STRINGS, limits, options)
      : {};
    const trees = await valueTrees(values, strings ?? {}, context, findings, options);
    const root = new PathTree();
    for (const [index, { keys, name: at }] of values.entries()) {
      const tree = trees[index];
      if (tree === undefined || root.place(keys, tree)) continue;
      findings.push({
        rule: "orbax-tree",
        severity: "warning",
        message: `The value ${quoted(at)} stands where another one does, and is not shown.`,
        at,
      });
    }
    return { tree: root.tree(), custom, close: () => closeContext(context) };
  } catch (error) {
    await closeContext(context);
    throw error;
  }
}

async function valueTrees(
  values: readonly SavedValue[],
  strings: JsonObject,
  context: ArrayContext,
  findings: Finding[],
  options: OpenOptions,
): Promise<(Tree | undefined)[]> {
  const trees: (Tree | undefined)[] = [];
  const budget = { numbers: MOST_NUMBERS };
  for (let first = 0; first < values.length; first += AT_ONCE) {
    options.signal?.throwIfAborted();
    const some = values.slice(first, first + AT_ONCE);
    trees.push(...(await Promise.all(some.map((value) => valueTree(value, strings, context, findings, budget, options)))));
    options.onProgress?.({ phase: "open", done: Math.min(first + AT_ONCE, values.length), total: values.length });
  }
  return trees;
}

async function valueTree(
  value: SavedValue,
  strings: JsonObject,
  context: ArrayContext,
  findings: Finding[],
  budget: { numbers: number },
  options: OpenOptions,
): Promise<Tree | undefined> {
  const { type, name, isEmpty } = value;
  if (isEmpty) return emptyTree(type);
  if (type === "string") {
    const text = Object.hasOwn(strings, name) ? strings[name] : undefined;
    if (typeof text === "string") return text;
    return missing(findings, name, `The text ${quoted(name)} is not in ${STRINGS}.`);
  }
  const description = await describe(context.store, name, context, options).catch((error: unknown) => unreadable(error, findings, name));
  if (description === "damaged") return undefined;
  if (!description) return missing(findings, name, `The array ${quoted(name)}, which the tree names, is not there.`);
  const tree = arrayTree(description, `${name}/`, name, context, findings);
  if (type !== "scalar" || !isNode(tree) || tree.kind !== "tensor" || budget.numbers-- <= 0) return tree;
  return (await numberOf(tree.tensor, options)) ?? tree;
}

function missing(findings: Finding[], at: string, message: string): undefined {
  findings.push({ rule: "orbax-missing-array", severity: "error", message, at });
  return undefined;
}

/** Codes of what is wrong with one array and does not keep the others from being read. */
const OF_ONE_ARRAY = new Set(["ZARR_CORRUPT", "OCDBT_CORRUPT", "COMPRESSION_CORRUPT", "TENSOR_OUT_OF_BOUNDS"]);

/** @throws any other error */
function unreadable(error: unknown, findings: Finding[], at: string): "damaged" {
  if (!(error instanceof CheckpointError) || !OF_ONE_ARRAY.has(error.code)) throw error;
  findings.push({ rule: "orbax-bad-array", severity: "error", message: `The array ${quoted(at)} was not read: ${error.message}`, at });
  return "damaged";
}

/** What was saved without an array: None, and containers that held nothing. */
function emptyTree(type: string): Tree {
  if (/dict/i.test(type)) return { kind: "map", type: "dict", entries: [] };
  if (/list/i.test(type)) return { kind: "list", type: "list", items: [] };
  if (/tuple/i.test(type)) return { kind: "list", type: "tuple", items: [] };
  return null;
}

/** The metadata of an array, of either version of zarr. */
async function describe(
  store: KeyStore,
  name: string,
  { limits }: ArrayContext,
  options: OpenOptions,
): Promise<ArrayDescription | undefined> {
  const second = await objectAt(store, `${name}/.zarray`, limits, options);
  if (second) return describeV2(second, {}, name);
  const third = await objectAt(store, `${name}/zarr.json`, limits, options);
  return third && describeV3(third, name);
}

/** The number that a Python scalar was; undefined for anything but one number. */
async function numberOf(spec: TensorSpec, options: OpenOptions): Promise<Tree | undefined> {
  if (spec.shape.some((size) => size !== 1) || !canDecode(spec.dtype) || spec.dtype.startsWith("C")) return undefined;
  const bytes = await new TensorHandle(spec, { keys: [], name: "", group: "other" }).read(options);
  if (spec.dtype === "BOOL") return bytes[0] === 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (spec.dtype === "I64") return exact(view.getBigInt64(0, true));
  if (spec.dtype === "U64") return exact(view.getBigUint64(0, true));
  const number = decodeNumbers(spec.dtype, bytes, new Float64Array(1))[0] ?? Number.NaN;
  return /^[IU]/.test(spec.dtype) ? number : realNumber(number);
}

const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
