// Parts of the file system interfaces that TypeScript's DOM library does not declare, because not every browser or thread has them.

/** An open file that is written and read without waiting; in dedicated workers only. @see https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle */
export interface SyncAccessHandle {
  write(bytes: Uint8Array, options?: { at?: number }): number;
  flush(): void;
  close(): void;
}

/** A file handle with what some browsers add. */
interface ExtendedFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle?(): Promise<SyncAccessHandle>;
  /** @see https://github.com/whatwg/fs/blob/main/proposals/MovingNonOpfsFiles.md */
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

/** The handle, with methods that may be missing at run time. */
export const extended = (handle: FileSystemFileHandle): ExtendedFileHandle => handle;

/** Whether `createWritable` is there: Safari got it years after the rest. */
export const canCreateWritable = (handle: FileSystemFileHandle): boolean => "createWritable" in handle;

/** The save dialogue of Chromium. @see https://wicg.github.io/file-system-access/#api-showsavefilepicker */
type ShowSaveFilePicker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;

/** The save dialogue; undefined where the browser has none. */
export function saveFilePicker(): ShowSaveFilePicker | undefined {
  // The name says what it is; TypeScript's library does not know it.
  const { showSaveFilePicker } = globalThis as { showSaveFilePicker?: ShowSaveFilePicker };
  return showSaveFilePicker?.bind(globalThis);
}

/** Whether something is a handle of a file, also one from another realm or out of IndexedDB. */
export const isFileHandle = (what: unknown): what is FileSystemFileHandle =>
  typeof what === "object" && what !== null && "getFile" in what && "kind" in what && what.kind === "file";

/** Whether something is a handle of a folder. */
export const isDirectoryHandle = (what: unknown): what is FileSystemDirectoryHandle =>
  typeof what === "object" && what !== null && "kind" in what && what.kind === "directory" && "getFileHandle" in what;
