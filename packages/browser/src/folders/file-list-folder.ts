import { blobSource, CheckpointConfigError } from "@ckptkit/core";
import { fileHandleSource } from "../files/file-handle-source.js";
import { byPath, type Folder, notInFolder } from "./folder.js";

/** A file that was dropped or picked: where in the folder it stood, and its handle where the browser gives one. */
export interface PathFile {
  /** Path with `/` between names; a file that was dropped by itself has its name only. */
  readonly path: string;
  readonly file: File;
  /** Can be kept in IndexedDB, to offer the file again later. */
  readonly handle?: FileSystemFileHandle | undefined;
}

/** Files with the paths that the browser gave them: `webkitRelativePath` of a folder that was picked, else their names. */
export const pathFiles = (files: Iterable<File | PathFile>): PathFile[] =>
  Array.from(files, (file) => ("path" in file ? file : { path: file.webkitRelativePath || file.name, file }));

/**
 * Several files as a folder. When all of them stand in one folder, its name is left out of the paths and is the folder's own.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for no files at all
 * @example const folder = fileListFolder(input.files);
 */
export function fileListFolder(files: Iterable<File | PathFile>): Folder {
  const given = pathFiles(files);
  if (given.length === 0) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", "No files were given: the list or folder is empty.", {
      suggestions: ["Choose a file or a folder that holds files."],
    });
  }
  const top = commonTop(given.map(({ path }) => path));
  const byName = new Map(given.map((entry) => [entry.path.slice(top.length), entry]));
  const name = top === "" ? (given.length === 1 ? (given[0]?.path ?? "") : `${given.length} files`) : top.slice(0, -1);
  return {
    name,
    list: async () => [...byName].map(([path, { file }]) => ({ path, size: file.size })).sort(byPath),
    async open(path) {
      const found = byName.get(path);
      if (!found) throw notInFolder({ name }, path, [...byName.keys()]);
      return found.handle ? fileHandleSource(found.handle, path) : blobSource(found.file, path);
    },
  };
}

/** The first folder that all paths share, with its slash; empty when they share none. */
function commonTop(paths: readonly string[]): string {
  const first = paths[0] ?? "";
  const top = first.slice(0, first.indexOf("/") + 1);
  return paths.every((path) => path.startsWith(top)) ? top : "";
}
