import type { ByteSource } from "@ckptkit/core";
import { fileHandleSource } from "../files/file-handle-source.js";
import { fileSystemError } from "../files/file-system-errors.js";
import { opfsFolder, parseOpfsPath } from "./opfs-path.js";

/**
 * A file of the origin private file system, which belongs to the site and needs no permission.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for a path that names no file
 * @throws {CheckpointSourceError} ACCESS_DENIED where there is no such file system, NOT_A_FILE
 * @example const source = await opfsSource("opfs:/runs/last.ckpt");
 */
export async function opfsSource(path: string): Promise<ByteSource> {
  const { folders, name, uri } = parseOpfsPath(path);
  let handle: FileSystemFileHandle;
  try {
    handle = await (await opfsFolder(folders, false)).getFileHandle(name);
  } catch (error) {
    throw fileSystemError(error, uri, "read");
  }
  return { ...(await fileHandleSource(handle, uri)), address: uri };
}
