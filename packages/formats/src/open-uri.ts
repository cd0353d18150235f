import { type ByteSource, type Checkpoint, CheckpointError, type Platform } from "@ckptkit/core";
import { type OpenCheckpointOptions, openCheckpoint, openCheckpointSync } from "./open-checkpoint.js";

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
  const { source, file } = await openFileOrFolder(open, uri);
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
  uri: string,
): Promise<{ source: ByteSource; file: string }> {
  try {
    return { source: await open(uri), file: uri };
  } catch (error) {
    if (hasCode(error, "NOT_FOUND") && TENSORFLOW_PREFIX.test(uri)) return openIndexOf(open, uri, error);
    if (!hasCode(error, "NOT_A_FILE")) throw error;
    for (const name of DESCRIBING_FILES) {
      const file = siblingAddress(/[/\\]$/.test(uri) ? uri : `${uri}/`, name);
      try {
        return { source: await open(file), file };
      } catch (missing) {
        if (!hasCode(missing, "NOT_FOUND")) throw missing;
      }
    }
    throw error;
  }
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
 * The same without waiting, for files of this machine.
 *
 * @throws {CheckpointConfigError} STAGE_ASYNC_ONLY where that cannot be, and what {@link openUri} throws
 * @example const checkpoint = openUriSync({ openSync: fileSourceSync }, "model.safetensors");
 */
export function openUriSync(platform: { openSync(uri: string): ByteSource }, uri: string, options: OpenUriOptions = {}): Checkpoint {
  const open = (address: string): ByteSource => {
    const source = platform.openSync(address);
    return options.wrapSource?.(source) ?? source;
  };
  const source = open(uri);
  const { address = uri } = source;
  return openCheckpointSync(source, { openSiblingSync: (name) => open(siblingAddress(address, name)), ...options });
}

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
