import { type ByteSource, type Checkpoint, CheckpointConfigError, CheckpointError, type Platform, someNames } from "@ckptkit/core";
import type { OpenCheckpointOptions } from "./choose-readers.js";
import { openCheckpoint } from "./open-checkpoint.js";
import { onlyStep } from "./orbax/steps.js";
import { isShardName, prefixOf } from "./tf-bundle/file-names.js";

/** How to open an address. */
export interface OpenUriOptions extends OpenCheckpointOptions {
  /** Wraps every source that is opened, below any cache: to count reads, say. */
  wrapSource?: ((source: ByteSource) => ByteSource) | undefined;
}

/**
 * Opens the checkpoint at a path or address that a platform reaches. The shards of a sharded checkpoint are opened beside
 * its index, and of the same version where the address of the index can name one. A folder is opened by the file in it that
 * describes a checkpoint of several files; what TensorFlow's files begin with (`ckpt-3`) stands for its index.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND, and what {@link openCheckpoint} throws
 * @example const checkpoint = await openUri(nodePlatform(), "model.safetensors.index.json");
 */
export async function openUri(platform: FileAccess, uri: string, options: OpenUriOptions = {}): Promise<Checkpoint> {
  const open = async (address: string): Promise<ByteSource> => {
    const source = await platform.open(address, options);
    return options.wrapSource?.(source) ?? source;
  };
  const listFolder = async (address: string): Promise<readonly string[]> => (await platform.list?.(address, options)) ?? [];
  const { source, file } = await openFileOrFolder(open, listFolder, uri);
  const { address = file } = source;
  const { list } = platform;
  return openCheckpoint(source, {
    openSibling: (name) => open(siblingAddress(address, name)),
    ...(list ? { listSiblings: (folder: string) => list.call(platform, siblingAddress(address, folder || "./"), options) } : {}),
    ...options,
  });
}

/** What of a platform opens a checkpoint. */
type FileAccess = Pick<Platform, "open"> & Partial<Pick<Platform, "list">>;

/** Files that describe a checkpoint of several files, which stands for its folder: the first that is there is opened. */
const DESCRIBING_FILES = [
  ".metadata",
  "model.safetensors.index.json",
  "pytorch_model.bin.index.json",
  // Of Orbax, one item and several; its arrays alone; zarr.
  "_METADATA",
  "_CHECKPOINT_METADATA",
  "manifest.ocdbt",
  ".zmetadata",
  "zarr.json",
  ".zgroup",
  ".zarray",
  "checkpoint", // of TensorFlow: names the latest of several
  "variables.index",
  "variables/variables.index", // of a SavedModel
];
/** Names by which TensorFlow's users know a checkpoint, whose files have more behind them: `ckpt-3`, `model.ckpt-1000`, `variables`. */
const TENSORFLOW_PREFIX = /(?:^|[/\\])(?:variables|[^/\\]*ckpt(?:-\d+)?)$/i;

/** @throws what opening the folder as a file throws, when it holds none of those */
async function openFileOrFolder(
  open: (address: string) => Promise<ByteSource>,
  list: (address: string) => Promise<readonly string[]>,
  uri: string,
): Promise<{ source: ByteSource; file: string }> {
  try {
    return { source: await open(uri), file: uri };
  } catch (error) {
    if (hasCode(error, "NOT_FOUND") && TENSORFLOW_PREFIX.test(uri)) return openIndexOf(open, uri, error);
    if (!hasCode(error, "NOT_A_FILE")) throw error;
    const folder = /[/\\]$/.test(uri) ? uri : `${uri}/`;
    for (const name of DESCRIBING_FILES) {
      const file = siblingAddress(folder, name);
      try {
        return { source: await open(file), file };
      } catch (missing) {
        if (!hasCode(missing, "NOT_FOUND")) throw missing;
      }
    }
    const names = await list(folder);
    const index = onlyBundle(names, uri) ?? (await onlyStep(names, (name) => list(siblingAddress(folder, name)), uri));
    if (index === undefined) throw error;
    const file = siblingAddress(folder, index);
    return { source: await open(file), file };
  }
}

/**
 * The index of the only TensorFlow checkpoint of a folder.
 *
 * @throws {CheckpointConfigError} SEVERAL_CHECKPOINTS
 */
function onlyBundle(names: readonly string[], folder: string): string | undefined {
  const withData = new Set(names.flatMap((name) => (isShardName(name) ? [prefixOf(name)] : [])));
  const indexes = names.filter((name) => name.endsWith(".index") && withData.has(prefixOf(name)));
  if (indexes.length < 2) return indexes[0];
  throw new CheckpointConfigError(
    "SEVERAL_CHECKPOINTS",
    `${folder} holds ${indexes.length} TensorFlow checkpoints: ${someNames(indexes)}.`,
    {
      details: { folder, checkpoints: indexes.slice(0, 50) },
      suggestions: [`Choose one by its path: ${siblingAddress(folder.replace(/[/\\]*$/, "/"), indexes[0] ?? "")}`],
    },
  );
}

/** @throws `notFound` when there is no index either */
async function openIndexOf(
  open: (address: string) => Promise<ByteSource>,
  prefix: string,
  notFound: unknown,
): Promise<{ source: ByteSource; file: string }> {
  const file = `${prefix}.index`;
  try {
    return { source: await open(file), file };
  } catch (error) {
    throw hasCode(error, "NOT_FOUND") ? notFound : error;
  }
}

const hasCode = (error: unknown, code: string): boolean => error instanceof CheckpointError && error.code === code;

/**
 * The address or path of a file beside another.
 *
 * @example siblingAddress("https://example.org/a/index.json?sig=1", "part 1.bin") // "https://example.org/a/part%201.bin"
 */
export function siblingAddress(address: string, name: string): string {
  if (/^(?:https?|file):\/\//i.test(address)) return new URL(name.split("/").map(encodeURIComponent).join("/"), address).href;
  // Other schemes (s3:, hf:, runs:) name files literally: nothing in them is encoded.
  return address.replace(/[^/\\]*$/, "") + name;
}
