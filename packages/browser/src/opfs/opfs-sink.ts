import { type ByteSink, CheckpointSourceError } from "@ckptkit/core";
import { extended } from "../files/file-system-api.js";
import { exceptionName, fileSystemError } from "../files/file-system-errors.js";
import { bufferedSink } from "../sinks/buffered-sink.js";
import { opfsFolder, parseOpfsPath } from "./opfs-path.js";
import { stageFile } from "./staging.js";

/** What {@link opfsSink} takes. */
export interface OpfsSinkOptions {
  /** Whether a file that is there already is replaced (true) or is an error. */
  overwrite?: boolean | undefined;
}

/**
 * Writes a file of the origin private file system, whole or not at all: under another name, which the commit changes. Folders above it
 * are made. What a closed tab left behind is removed when the next file is written.
 *
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE, NO_SPACE, WRITE_FAILED; DESTINATION_EXISTS with `overwrite: false`
 * @example const sink = await opfsSink("opfs:/converted/model.safetensors");
 */
export async function opfsSink(path: string, { overwrite = true }: OpfsSinkOptions = {}): Promise<ByteSink> {
  const { folders, name, uri } = parseOpfsPath(path);
  try {
    if ((await isThere(folders, name)) && !overwrite) throw alreadyThere(uri);
    const staged = await stageFile();
    return bufferedSink(uri, {
      append: (bytes) => staged.append(bytes),
      async finish() {
        await staged.close();
        if (!overwrite && (await isThere(folders, name))) throw alreadyThere(uri);
        await publish(staged.handle, await opfsFolder(folders, true), name);
        await staged.remove();
      },
      discard: () => staged.remove(),
    });
  } catch (error) {
    throw fileSystemError(error, uri, "written");
  }
}

/** Whether a file has this name. Throws the browser's TypeMismatchError when a folder has it. */
async function isThere(folders: readonly string[], name: string): Promise<boolean> {
  try {
    await (await opfsFolder(folders, false)).getFileHandle(name);
    return true;
  } catch (error) {
    if (exceptionName(error) === "NotFoundError") return false;
    throw error;
  }
}

/** Gives a file its name; where files cannot be moved, its bytes go into a new one, which shows when it is whole. */
async function publish(handle: FileSystemFileHandle, folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  const { move } = extended(handle);
  if (move) return move.call(handle, folder, name);
  const file = await handle.getFile();
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await file.stream().pipeTo(writable);
}

const alreadyThere = (uri: string): CheckpointSourceError =>
  new CheckpointSourceError("DESTINATION_EXISTS", `${uri} exists already.`, {
    details: { path: uri },
    suggestions: ["Choose another name, or allow it to be replaced (overwrite: true)."],
  });
