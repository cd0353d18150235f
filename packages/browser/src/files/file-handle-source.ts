import { type ByteSource, blobSource, CheckpointError, CheckpointSourceError, type SignalOptions } from "@ckptkit/core";
import { exceptionName, fileSystemError } from "./file-system-errors.js";

/**
 * The file behind a handle: of a picker, a drop, a folder or the origin private file system. It is read as it is now; when
 * it changes later, reads fail and say so.
 *
 * @param name what errors call it; the handle's own name when left out
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE, READ_FAILED; SOURCE_CHANGED when reading
 * @example
 * const [handle] = await showOpenFilePicker();
 * const source = await fileHandleSource(handle);
 */
export async function fileHandleSource(handle: FileSystemFileHandle, name: string = handle.name): Promise<ByteSource> {
  let file: File;
  try {
    file = await handle.getFile();
  } catch (error) {
    throw fileSystemError(error, name, "read");
  }
  const opened = file;
  const inner = blobSource(opened, name);
  return {
    ...inner,
    version: { lastModified: new Date(opened.lastModified).toUTCString() },
    async read(start: number, end: number, options?: SignalOptions) {
      try {
        return await inner.read(start, end, options);
      } catch (error) {
        if (!(error instanceof CheckpointError) || error.code === "OUT_OF_RANGE") throw error;
        throw await whatHappened(handle, opened, name, error);
      }
    },
  };
}

/** Why a file can no longer be read: the browser says only that it cannot, but the handle leads to the file as it is now. */
async function whatHappened(handle: FileSystemFileHandle, opened: File, name: string, error: CheckpointError): Promise<CheckpointError> {
  let now: File;
  try {
    now = await handle.getFile();
  } catch (reason) {
    return exceptionName(reason) === "" ? error : fileSystemError(reason, name, "read");
  }
  if (now.size === opened.size && now.lastModified === opened.lastModified) return error;
  return new CheckpointSourceError(
    "SOURCE_CHANGED",
    `${name} changed since it was opened: it had ${opened.size} bytes of ${time(opened)}, and has ${now.size} of ${time(now)} now.`,
    {
      details: { name, size: opened.size, sizeNow: now.size, lastModified: opened.lastModified, lastModifiedNow: now.lastModified },
      suggestions: ["Wait until whatever writes it is done, and open it again."],
      cause: error,
    },
  );
}

const time = ({ lastModified }: File): string => new Date(lastModified).toISOString();
