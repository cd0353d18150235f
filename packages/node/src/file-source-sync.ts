import { type BigIntStats, close, closeSync, fstatSync, openSync, read, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { type ByteSource, type Bytes, checkRange } from "@ckptkit/core";
import { fileError, notAFile } from "./file-errors.js";
import { checkUnchanged, endedEarly, exactSize, isClosed } from "./file-version.js";
import { localPath } from "./local-path.js";

/** Bytes of one call to the operating system: below the 2 GiB that one call can take. */
const MAX_CALL_BYTES = 64 * 1024 * 1024;

const readAsync = promisify(read);
const closeAsync = promisify(close);

/**
 * A file on this machine for callers that cannot wait: it is opened synchronously and can be read so (`readSync`), beside the
 * asynchronous reads that every source has. Otherwise like `fileSource`.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND, with similar names
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE, READ_FAILED
 * @example
 * const checkpoint = openCheckpointSync(fileSourceSync("model.safetensors"));
 */
export function fileSourceSync(path: string | URL): ByteSource {
  const name = localPath(path);
  const { fd, opened } = openFile(name);
  const size = Number(opened.size);
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
      try {
        for (let filled = 0; filled < target.length; ) {
          const bytesRead = readSync(fd, target, filled, Math.min(target.length - filled, MAX_CALL_BYTES), start + filled);
          if (bytesRead === 0) throw endedEarly(name, start + filled, size, fd);
          filled += bytesRead;
        }
      } catch (error) {
        throw fileError(error, name, "read");
      }
      checkUnchanged(name, opened, fstatSync(fd, { bigint: true }));
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
    descriptor: () => ({ kind: "file", path: resolve(name) }),
    close() {
      closing ??= closeAsync(fd);
      return closing;
    },
  };
  return source;
}

/** Opens a regular file. A look before the opening keeps a pipe without a writer from blocking it for ever. */
function openFile(path: string): { fd: number; opened: BigIntStats } {
  let fd: number | undefined;
  try {
    const before = statSync(path);
    if (!before.isFile()) throw notAFile(path, before.isDirectory());
    fd = openSync(path, "r");
    const opened = fstatSync(fd, { bigint: true });
    if (!opened.isFile()) throw notAFile(path, opened.isDirectory());
    exactSize(path, opened);
    return { fd, opened };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw fileError(error, path, "opened");
  }
}
