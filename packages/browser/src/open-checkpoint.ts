import { type ByteSource, blobSource, type Checkpoint, CheckpointConfigError, CheckpointLoadError, type Platform } from "@ckptkit/core";
import { type OpenUriOptions, openCheckpoint as openSource, openUri } from "@ckptkit/formats";
import { fileHandleSource } from "./files/file-handle-source.js";
import { isFileHandle } from "./files/file-system-api.js";
import type { PathFile } from "./folders/file-list-folder.js";
import type { Folder, FolderEntry } from "./folders/folder.js";
import { type FolderLike, folderOf, isFolderLike } from "./folders/folder-of.js";
import { beside, chooseCheckpoint } from "./folders/list-checkpoints.js";
import { browserPlatform } from "./platform/browser-platform.js";

/** Whatever a page may have in hand that leads to a checkpoint. */
export type Openable = string | URL | Blob | FileSystemFileHandle | PathFile | FolderLike | ByteSource;

/** How {@link openCheckpoint} opens. */
export interface BrowserOpenOptions extends OpenUriOptions {
  /** Reaches addresses: one with credentials, headers or a cache, say. `browserPlatform()` when left out. */
  platform?: Platform | undefined;
  /** Which file of a folder to open; the only checkpoint in it when left out. A shard stands for its whole checkpoint. */
  path?: string | undefined;
}

/**
 * Opens a checkpoint from a file, a folder or an address: reads its description and no more, so that a file of any size opens at once.
 * Nothing is uploaded, and nothing that the file says is executed.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointConfigError} SEVERAL_CHECKPOINTS for a folder with more than one; see `listCheckpoints`
 * @throws {CheckpointSourceError} CORS_BLOCKED, MIXED_CONTENT, CSP_BLOCKED, OFFLINE ... when an address cannot be reached from this page
 * @throws {CheckpointLoadError} when the bytes are not a readable checkpoint
 * @example
 * const checkpoint = await openCheckpoint(input.files[0]);
 * for (const tensor of checkpoint.tensors) console.log(tensor.path, tensor.dtype, tensor.shape);
 * await checkpoint.close();
 */
export async function openCheckpoint(what: Openable, options: BrowserOpenOptions = {}): Promise<Checkpoint> {
  const { platform, path, ...rest } = options;
  if (typeof what === "string" || what instanceof URL) return openUri(platform ?? browserPlatform(), String(what), rest);
  if (isFileHandle(what)) return openAlone(await fileHandleSource(what), rest);
  if (what instanceof Blob) return openAlone(blobSource(what), rest);
  if (isPathFile(what)) return openAlone(await sourceOf(what), rest);
  if (isSource(what)) return openAlone(what, rest);
  if (!isFolderLike(what)) throw notOpenable(what);
  const folder = folderOf(what);
  return openIn(folder, await chooseCheckpoint(folder, path), rest);
}

const isObject = (what: unknown): what is object => typeof what === "object" && what !== null;
const isPathFile = (what: unknown): what is PathFile => isObject(what) && "file" in what && what.file instanceof Blob && "path" in what;
const isSource = (what: unknown): what is ByteSource => isObject(what) && "size" in what && "read" in what;

const sourceOf = ({ file, handle, path }: PathFile): Promise<ByteSource> | ByteSource =>
  handle ? fileHandleSource(handle, path) : blobSource(file, path);

/** Opens one file of a folder, with the files beside it at hand. */
async function openIn(folder: Folder, path: string, { wrapSource, ...options }: OpenUriOptions): Promise<Checkpoint> {
  const open = async (name: string): Promise<ByteSource> => {
    const source = await folder.open(name);
    return wrapSource?.(source) ?? source;
  };
  return openSource(await open(path), {
    openSibling: (name) => open(beside(path, name)),
    listSiblings: async (below) => namesIn(await folder.list(), beside(path, below)),
    ...options,
  });
}

/** Names in a folder by the paths of all files: those of folders end with "/". */
function namesIn(entries: readonly FolderEntry[], folder: string): string[] {
  const names = new Set<string>();
  for (const { path } of entries) {
    if (!path.startsWith(folder)) continue;
    const name = path.slice(folder.length);
    const slash = name.indexOf("/");
    names.add(slash < 0 ? name : name.slice(0, slash + 1));
  }
  return [...names];
}

/** Opens a file by itself: where it names others, says how to bring them. */
function openAlone(source: ByteSource, { wrapSource, ...options }: OpenUriOptions): Promise<Checkpoint> {
  const openSibling = async (shard: string): Promise<ByteSource> => {
    throw new CheckpointLoadError(
      "SAFETENSORS_INDEX",
      `${source.name} is the index of a sharded checkpoint: its tensors are in other files (${shard} ...), and a page may not read files that it was not given.`,
      {
        details: { index: source.name, shard },
        suggestions: ["Drop or choose the whole folder, or all its files together."],
      },
    );
  };
  return openSource(wrapSource?.(source) ?? source, { openSibling, ...options });
}

const notOpenable = (what: unknown): CheckpointConfigError =>
  new CheckpointConfigError("INVALID_ARGUMENT", `There is nothing to open in ${Object.prototype.toString.call(what)}.`, {
    suggestions: ["Give a File, a FileSystemHandle, a list of files, or an address."],
  });
