import { type ByteSink, CheckpointSourceError } from "@ckptkit/core";
import { canCreateWritable } from "../files/file-system-api.js";
import { fileSystemError } from "../files/file-system-errors.js";
import { bufferedSink } from "./buffered-sink.js";

/**
 * Writes the file behind a handle: of showSaveFilePicker, of a folder, or kept from an earlier visit. The file stays as it was until the
 * commit, which puts the new one in its place.
 *
 * @throws {CheckpointSourceError} ACCESS_DENIED, NO_SPACE, WRITE_FAILED
 * @see https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createwritable
 * @example
 * const sink = await pickerSink(await showSaveFilePicker({ suggestedName: "model.safetensors" }));
 */
export async function pickerSink(handle: FileSystemFileHandle): Promise<ByteSink> {
  const { name } = handle;
  if (!canCreateWritable(handle)) {
    throw new CheckpointSourceError("WRITE_FAILED", `${name} cannot be written: this browser gives no writer for files.`, {
      suggestions: ["Save it as a download: downloadSink(name)."],
    });
  }
  let writable: FileSystemWritableFileStream;
  try {
    writable = await handle.createWritable();
  } catch (error) {
    throw fileSystemError(error, name, "written");
  }
  return bufferedSink(name, {
    append: (bytes) => writable.write(bytes),
    finish: () => writable.close(),
    discard: () => writable.abort().catch(() => undefined),
  });
}
