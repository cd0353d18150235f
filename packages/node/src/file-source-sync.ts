import { close, fstatSync, read } from "node:fs";
import { promisify } from "node:util";
import { type ByteSource, type Bytes, checkRange } from "@ckptkit/core";
import { fileError } from "./file-errors.js";
import { checkUnchanged, endedEarly, isClosed } from "./file-version.js";
import { localPath } from "./local-path.js";
import { fileDescriptor } from "./pool/file-descriptor.js";
import { MAX_CALL_BYTES, openSyncFile, readSyncFile } from "./sync-file.js";

const readAsync = promisify(read);
const closeAsync = promisify(close);

/**
 * A file on this machine for callers that cannot wait: it is opened synchronously and can be read so (`readSync`), beside the
 * asynchronous reads that every source has. Otherwise like `fileSource`.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND, with similar names
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE, READ_FAILED, UNFINISHED_EDIT
 * @example
 * const checkpoint = openCheckpointSync(fileSourceSync("model.safetensors"));
 */
export function fileSourceSync(path: string | URL): ByteSource {
  const name = localPath(path);
  const file = openSyncFile(name);
  const { fd, opened, size } = file;
  let closing: Promise<void> | undefined;

  const check = (start: number, end: number): void => {
    if (closing) throw isClosed(name);
    checkRange(source, start, end);
  };
  const fill = async (target: Bytes, start: number, signal: AbortSignal | undefined): Promise<void> => {
    try {
      for (let filled = 0; filled < target.length; ) {
        const { bytesRead } = await readAsync(fd, target, filled, Math.min(target.length - filled, MAX_CALL_BYTES), start + filled);
        signal?.throwIfAborted();
        if (bytesRead === 0) throw endedEarly(name, start + filled, size, fd);
        filled += bytesRead;
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw closing ? isClosed(name) : fileError(error, name, "read");
    }
    if (!closing) checkUnchanged(name, opened, fstatSync(fd, { bigint: true }));
  };
  const source: ByteSource = {
    size,
    name,
    readSync(start, end) {
      check(start, end);
      const target = new Uint8Array(end - start);
      readSyncFile(file, target, start);
      return target;
    },
    async read(start, end, { signal } = {}) {
      signal?.throwIfAborted();
      check(start, end);
      const target = new Uint8Array(end - start);
      await fill(target, start, signal);
      return target;
    },
    async readInto(target, start, { signal } = {}) {
      signal?.throwIfAborted();
      check(start, start + target.length);
      await fill(target, start, signal);
    },
    descriptor: () => fileDescriptor(name, opened),
    close() {
      closing ??= closeAsync(fd);
      return closing;
    },
  };
  return source;
}
