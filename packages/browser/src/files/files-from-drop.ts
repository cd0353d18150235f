import { type PathFile, pathFiles } from "../folders/file-list-folder.js";
import { checkFolderSize } from "../folders/folder.js";
import { isDirectoryHandle, isFileHandle } from "./file-system-api.js";
import { exceptionName, fileSystemError } from "./file-system-errors.js";

/** What was dropped or pasted. */
export interface Dropped {
  /** All files, those in folders with their paths. */
  readonly files: readonly PathFile[];
  /** Handles of what was dropped itself, where the browser gives them: IndexedDB keeps them, for a list of recent files. */
  readonly handles: readonly FileSystemHandle[];
}

/** A dropped thing, in the best form that the browser has for it. */
type Grip = { handle: Promise<FileSystemHandle | null>; entry: FileSystemEntry | null; file: File | null };

/** A data transfer item in Chromium. @see https://wicg.github.io/file-system-access/#drag-and-drop */
interface HandleItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/**
 * The files of a drop or of a paste, with folders walked. Call it before anything is awaited: a browser empties the data when the
 * event is over.
 *
 * @throws {CheckpointSourceError} READ_FAILED, ACCESS_DENIED when a dropped folder cannot be read; LIMIT_EXCEEDED when it is too large
 * @example
 * zone.addEventListener("drop", async (event) => {
 *   event.preventDefault();
 *   const { files } = await filesFromDrop(event.dataTransfer);
 *   const checkpoint = await openCheckpoint(files);
 * });
 */
export async function filesFromDrop(data: DataTransfer): Promise<Dropped> {
  const grips = [...data.items].filter(({ kind }) => kind === "file").map(gripOf);
  // Some sources of drops fill `files` alone.
  if (grips.length === 0) return { files: pathFiles(data.files), handles: [] };
  const files: PathFile[] = [];
  const handles: FileSystemHandle[] = [];
  try {
    for (const { handle: pending, entry, file } of grips) {
      const handle = await pending;
      if (handle) {
        handles.push(handle);
        await takeHandle(handle, "", files);
      } else if (entry) await takeEntry(entry, files);
      else if (file) files.push({ path: file.name, file });
    }
  } catch (error) {
    throw exceptionName(error) === "" ? error : fileSystemError(error, "What was dropped", "read");
  }
  return { files, handles };
}

/** Takes hold of an item while the event lasts. */
function gripOf(item: DataTransferItem & HandleItem): Grip {
  const handle = item.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null);
  return { handle, entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() };
}

async function takeHandle(handle: FileSystemHandle, prefix: string, into: PathFile[]): Promise<void> {
  const path = prefix + handle.name;
  if (isFileHandle(handle)) into.push({ path, file: await handle.getFile(), handle });
  else if (isDirectoryHandle(handle)) {
    for await (const child of handle.values()) {
      await takeHandle(child, `${path}/`, into);
      checkFolderSize(handle.name, into.length, path.split("/").length);
    }
  }
}

/** @see https://wicg.github.io/entries-api/ */
async function takeEntry(entry: FileSystemEntry, into: PathFile[]): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  // The interfaces that `isFile` and `isDirectory` stand for; the library does not narrow to them.
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    into.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A folder is given some entries at a time, and none at its end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const child of some) await takeEntry(child, into);
    checkFolderSize(entry.name, into.length, path.split("/").length);
  }
}
