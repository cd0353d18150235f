import { CheckpointConfigError, CheckpointSourceError } from "@ckptkit/core";

/** A path in the origin private file system: folders from the root on, and the last name. */
export interface OpfsPath {
  readonly folders: readonly string[];
  readonly name: string;
  /** The path as people read it: `opfs:/runs/last.ckpt`. */
  readonly uri: string;
}

/** Whether this page or worker has an origin private file system: every current browser, over https or on localhost. */
export const hasOpfs = (): boolean => typeof navigator !== "undefined" && typeof navigator.storage?.getDirectory === "function";

/** Whether an address is one of the origin private file system. */
export const isOpfsAddress = (uri: string): boolean => /^opfs:/i.test(uri);

/**
 * Takes `opfs:/folder/name` or `/folder/name` apart. Names are literal: nothing in them is percent-decoded.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for a path without a name, or one with `.` or `..` in it
 * @example parseOpfsPath("opfs:/runs/last.ckpt") // { folders: ["runs"], name: "last.ckpt", uri: "opfs:/runs/last.ckpt" }
 */
export function parseOpfsPath(path: string): OpfsPath {
  const folders = path
    .replace(/^opfs:/i, "")
    .split("/")
    .filter((part) => part !== "");
  const uri = `opfs:/${folders.join("/")}`;
  const name = folders.pop();
  if (name === undefined || [name, ...folders].some((part) => part === "." || part === "..")) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `${path} does not name a file of this site's private file system.`, {
      details: { path },
      suggestions: ["Give a path such as opfs:/runs/last.ckpt, without . and .. in it."],
    });
  }
  return { folders, name, uri };
}

/** The root folder. @throws {CheckpointSourceError} ACCESS_DENIED where the browser gives none */
export async function opfsRoot(): Promise<FileSystemDirectoryHandle> {
  try {
    if (hasOpfs()) return await navigator.storage.getDirectory();
  } catch (cause) {
    throw noOpfs(cause);
  }
  throw noOpfs(undefined);
}

const noOpfs = (cause: unknown): CheckpointSourceError =>
  new CheckpointSourceError("ACCESS_DENIED", "This page has no private file system (OPFS) to keep files in.", {
    suggestions: [
      "Browsers give one to pages over https: or on localhost, and some give none in private windows.",
      "Save with chooseSaveSink, which needs none.",
    ],
    ...(cause !== undefined && { cause }),
  });

/** A folder by the names that lead to it. Throws the browser's own NotFoundError unless it is there or `create` is set. */
export async function opfsFolder(folders: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> {
  let folder = await opfsRoot();
  for (const name of folders) folder = await folder.getDirectoryHandle(name, { create });
  return folder;
}
