import { isDirectoryHandle, isFileHandle } from "../files/file-system-api.js";
import { directoryFolder } from "./directory-folder.js";
import { fileListFolder, type PathFile } from "./file-list-folder.js";
import type { Folder } from "./folder.js";

/** What can be looked at as a folder. */
export type FolderLike = Folder | FileSystemDirectoryHandle | Iterable<File | PathFile>;

/** Whether something is a folder, or several files. */
export const isFolderLike = (what: unknown): what is FolderLike =>
  isFolder(what) || isDirectoryHandle(what) || (typeof what === "object" && what !== null && Symbol.iterator in what);

const isFolder = (what: unknown): what is Folder =>
  typeof what === "object" && what !== null && "list" in what && "open" in what && !isFileHandle(what);

/**
 * A folder from whatever a browser gives for one: a directory handle, the files of an input (also with `webkitdirectory`), what
 * `filesFromDrop` found.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for no files at all
 * @example const candidates = await listCheckpoints(folderOf(input.files));
 */
export function folderOf(what: FolderLike): Folder {
  if (isFolder(what)) return what;
  return isDirectoryHandle(what) ? directoryFolder(what) : fileListFolder(what);
}
