import { type ByteSource, CheckpointNotFoundError, CheckpointSourceError, similarNames, someNames } from "@ckptkit/core";

/** A file of a folder. */
export interface FolderEntry {
  /** Path within the folder, with `/` between names: `shards/model-00001-of-00002.safetensors`. */
  readonly path: string;
  readonly size: number;
}

/** Files that belong together and can be read by path: a folder that was picked or dropped, or several files. */
export interface Folder {
  /** A name for people. */
  readonly name: string;
  /** All files, those of folders within it as well, by path. */
  list(): Promise<readonly FolderEntry[]>;
  /** @throws {CheckpointNotFoundError} NOT_FOUND */
  open(path: string): Promise<ByteSource>;
}

/** The error for a path that a folder does not have. */
export function notInFolder({ name }: { readonly name: string }, path: string, paths: readonly string[]): CheckpointNotFoundError {
  const similar = similarNames(path, paths);
  return new CheckpointNotFoundError("NOT_FOUND", `There is no ${path} in ${name}.`, {
    details: { folder: name, path },
    suggestions: [
      ...(similar.length > 0 ? [`Similar names in it: ${similar.join(", ")}.`] : []),
      paths.length > 0 ? `It holds ${someNames(paths)}.` : "It holds no files.",
    ],
  });
}

/** By path, in the order of code units: the same everywhere. */
export const byPath = (first: { readonly path: string }, second: { readonly path: string }): number => (first.path < second.path ? -1 : 1);

/** Files that a folder may have: who drops a home folder by mistake hears of it, and is not kept waiting. */
const MAX_FILES = 20_000;
/** Folders within folders. */
const MAX_DEPTH = 32;

/** @throws {CheckpointSourceError} LIMIT_EXCEEDED for a folder that has more than anybody would put beside a checkpoint */
export function checkFolderSize(name: string, files: number, depth: number): void {
  if (files <= MAX_FILES && depth <= MAX_DEPTH) return;
  const why = files > MAX_FILES ? `it has more than ${MAX_FILES} files` : `folders are nested more than ${MAX_DEPTH} deep`;
  throw new CheckpointSourceError("LIMIT_EXCEEDED", `The folder ${name} is too large to look through: ${why}.`, {
    details: { folder: name, limit: files > MAX_FILES ? "files" : "depth", allowed: files > MAX_FILES ? MAX_FILES : MAX_DEPTH },
    suggestions: ["Choose the folder that holds the checkpoint itself."],
  });
}
