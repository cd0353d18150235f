import { fileHandleSource } from "../files/file-handle-source.js";
import { exceptionName, fileSystemError } from "../files/file-system-errors.js";
import { byPath, checkFolderSize, type Folder, type FolderEntry, notInFolder } from "./folder.js";

/**
 * A folder that was picked (showDirectoryPicker), dropped, or stands in the origin private file system.
 *
 * @example const folder = directoryFolder(await showDirectoryPicker());
 */
export function directoryFolder(root: FileSystemDirectoryHandle): Folder {
  const name = root.name === "" ? "opfs:/" : root.name;
  let listed: Promise<FolderEntry[]> | undefined;
  const list = async (): Promise<FolderEntry[]> => {
    const entries: FolderEntry[] = [];
    await walk(root, "", 0, entries);
    return entries.sort(byPath);
  };
  const walk = async (folder: FileSystemDirectoryHandle, prefix: string, depth: number, into: FolderEntry[]): Promise<void> => {
    for await (const handle of folder.values()) {
      const path = prefix + handle.name;
      // Each is of the kind that its `kind` says.
      if (handle.kind === "directory") await walk(handle as FileSystemDirectoryHandle, `${path}/`, depth + 1, into);
      else into.push({ path, size: await sizeOf(handle as FileSystemFileHandle) });
      checkFolderSize(name, into.length, depth);
    }
  };
  return {
    name,
    async list() {
      listed ??= list();
      try {
        return await listed;
      } catch (error) {
        listed = undefined;
        throw fileSystemError(error, name, "read");
      }
    },
    async open(path) {
      const folders = path.split("/");
      const file = folders.pop() ?? "";
      let handle: FileSystemFileHandle;
      try {
        let folder = root;
        for (const part of folders) folder = await folder.getDirectoryHandle(part);
        handle = await folder.getFileHandle(file);
      } catch (error) {
        // A TypeError: the name is one that no file can have, such as "..".
        if (exceptionName(error) !== "NotFoundError" && !(error instanceof TypeError)) throw fileSystemError(error, path, "read");
        throw notInFolder(
          { name },
          path,
          (await this.list()).map((entry) => entry.path),
        );
      }
      return fileHandleSource(handle, path);
    },
  };
}

/** Bytes of a file; 0 for one that is gone by now, or that may not be read: opening it says why. */
const sizeOf = async (handle: FileSystemFileHandle): Promise<number> =>
  handle.getFile().then(
    ({ size }) => size,
    () => 0,
  );
