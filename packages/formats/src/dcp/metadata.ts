import {
  CheckpointLoadError,
  checkLimit,
  countElements,
  type DType,
  getEntry,
  isNode,
  type Limits,
  type PathKey,
  type Tree,
} from "@ckptkit/core";
import { readPickle } from "@ckptkit/pickle";
import { leadsElsewhere } from "../file-beside.js";
import { quoted } from "../quoted.js";
import { dtypeOfGlobal } from "../torch/dtypes.js";
import { TreeBuilder } from "../torch/tree-builder.js";

/** Where the bytes of one item lie: a torch archive of its own within a file. */
export interface DcpPlace {
  /** Path relative to `.metadata`. */
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  /** Names of what the writer did to the bytes, such as compressing them. */
  readonly transforms: readonly string[];
}

/** A box of a global tensor that is stored by itself. */
export interface DcpChunk {
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
  /** Undefined where the metadata does not tell. */
  readonly place: DcpPlace | undefined;
}

/** A global tensor and the chunks that it consists of. */
export interface DcpTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly requiresGrad: boolean;
  readonly chunks: readonly DcpChunk[];
}

/** A value that is no tensor: pickled by itself. */
export interface DcpValue {
  readonly name: string;
  readonly place: DcpPlace | undefined;
}

/** What a `.metadata` file says. */
export interface DcpMetadata {
  /** In the order of the file. */
  readonly items: readonly (DcpTensor | DcpValue)[];
  /** Keys from the root to an item, by its name, where the writer flattened a nested state dict. */
  readonly paths: ReadonlyMap<string, readonly PathKey[]>;
}

/**
 * Reads the description of a distributed checkpoint: a pickle of dataclasses.
 *
 * @throws {CheckpointLoadError} PICKLE_*, TORCH_CORRUPT, LIMIT_EXCEEDED
 * @see https://github.com/pytorch/pytorch torch/distributed/checkpoint/metadata.py and filesystem.py
 */
export function parseDcpMetadata(bytes: Uint8Array, name: string, limits: Limits): DcpMetadata {
  const builder = new TreeBuilder(() => {
    throw corrupt(name, "it refers to a storage of its own");
  }, limits);
  const tree = builder.build(readPickle(bytes, { limits }).value);
  const items = entriesOf(getEntry(tree, "state_dict_metadata"));
  if (!isNode(tree) || !classIs(tree, "Metadata") || items === undefined) throw corrupt(name, "it is no Metadata of a state dict");
  checkLimit(limits, "tensors", items.length, `Items of ${name}`);
  const places = placesOf(getEntry(tree, "storage_data"), name);
  return { items: items.map(([key, value]) => itemOf(key, value, places, name)), paths: pathsOf(getEntry(tree, "planner_data"), limits) };
}

/** The error for metadata whose parts do not fit together. */
export const corrupt = (name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError =>
  new CheckpointLoadError("TORCH_CORRUPT", `The metadata ${name} of a distributed checkpoint cannot be understood: ${why}.`, { details });

const classIs = (tree: Tree | undefined, name: string): boolean => isNode(tree) && tree.kind === "object" && tree.type.endsWith(`.${name}`);

const entriesOf = (tree: Tree | undefined): readonly (readonly [Tree, Tree])[] | undefined =>
  isNode(tree) && tree.kind === "map" ? tree.entries : undefined;

const itemsOf = (tree: Tree | undefined): readonly Tree[] | undefined => (isNode(tree) && tree.kind === "list" ? tree.items : undefined);

/** What identifies an item in `storage_data`: its name, and where its chunk begins. */
const placeKey = (name: string, offsets: readonly number[] | undefined): string => JSON.stringify([name, offsets ?? null]);

function placesOf(tree: Tree | undefined, name: string): ReadonlyMap<string, DcpPlace> {
  const places = new Map<string, DcpPlace>();
  for (const [index, info] of entriesOf(tree) ?? []) {
    const item = getEntry(index, "fqn");
    const file = getEntry(info, "relative_path");
    const [offset, length] = [getEntry(info, "offset"), getEntry(info, "length")];
    if (typeof item !== "string" || typeof file !== "string" || !isSize(offset) || !isSize(length)) {
      throw corrupt(name, "an entry of storage_data is not the place of an item");
    }
    if (leadsElsewhere(file))
      throw corrupt(name, `it names the file ${quoted(file)}, which is not beside it`, { file: file.slice(0, 1000) });
    if (!Number.isSafeInteger(offset + length)) throw corrupt(name, `${quoted(item)} ends beyond 2^53 - 1`);
    const begins = getEntry(index, "offset");
    const transforms = (itemsOf(getEntry(info, "transform_descriptors")) ?? []).map((step) =>
      typeof step === "string" ? step : "unknown",
    );
    const key = placeKey(item, begins === undefined || begins === null ? undefined : sizesOf(begins, name));
    places.set(key, { file, offset, length, transforms });
  }
  return places;
}

function itemOf(key: Tree, value: Tree, places: ReadonlyMap<string, DcpPlace>, file: string): DcpTensor | DcpValue {
  if (typeof key !== "string") throw corrupt(file, "an item has no name");
  if (!classIs(value, "TensorStorageMetadata")) return { name: key, place: places.get(placeKey(key, undefined)) };
  const properties = getEntry(value, "properties");
  const state = isNode(properties) && properties.kind === "object" ? itemsOf(properties.state) : undefined;
  // (dtype, layout, requires_grad, memory format, pin_memory), or the same as attributes
  const dtypeName = state?.[0] ?? getEntry(properties, "dtype");
  const dtype = isNode(dtypeName) && dtypeName.kind === "global" ? dtypeOfGlobal(dtypeName.name) : undefined;
  if (dtype === undefined) throw corrupt(file, `the tensor ${quoted(key)} has no dtype that is known`);
  const shape = sizesOf(getEntry(value, "size"), file);
  countElements(shape); // an exact number, or an error
  const chunks = (itemsOf(getEntry(value, "chunks")) ?? []).map((chunk): DcpChunk => {
    const offsets = sizesOf(getEntry(chunk, "offsets"), file);
    const sizes = sizesOf(getEntry(chunk, "sizes"), file);
    const whole = offsets.every((offset) => offset === 0) ? places.get(placeKey(key, undefined)) : undefined;
    return { offsets, sizes, place: places.get(placeKey(key, offsets)) ?? whole };
  });
  return { name: key, dtype, shape, requiresGrad: (state?.[2] ?? getEntry(properties, "requires_grad")) === true, chunks };
}

const isSize = (value: Tree | undefined): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

/** A torch.Size, or a tuple or list of sizes. */
function sizesOf(tree: Tree | undefined, file: string): number[] {
  const sizes = itemsOf(tree);
  if (sizes?.every(isSize) && sizes.length <= MOST_AXES) return [...sizes];
  throw corrupt(file, "a size or an offset is not a tuple of integers from 0 on");
}
/** Axes of one tensor. torch has no bound; numpy's is 64. */
const MOST_AXES = 1024;

/** The planner's map from names to keys; empty where the writer was given a flat state dict. */
function pathsOf(tree: Tree | undefined, limits: Limits): Map<string, readonly PathKey[]> {
  const paths = new Map<string, readonly PathKey[]>();
  let total = 0;
  for (const [name, keys] of entriesOf(tree) ?? []) {
    const path = itemsOf(keys);
    if (typeof name !== "string" || !path || path.length === 0 || path.length > limits.treeDepth) continue;
    total += path.length; // one tuple may stand for many names
    checkLimit(limits, "treeVisits", total, "Keys of a flattened state dict");
    if (path.every((key) => typeof key === "string" || isSize(key))) paths.set(name, path as PathKey[]); // checked
  }
  return paths;
}
