import { type BigIntStats, fstatSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { type ByteSource, type Bytes, checkRange, type SignalOptions } from "@ckptkit/core";
import { checkNoUnfinishedEdit } from "./edit/journal-state.js";
import { fileError, notAFile } from "./file-errors.js";
import { checkUnchanged, endedEarly, exactSize, isClosed } from "./file-version.js";
import { localPath } from "./local-path.js";
import { fileDescriptor } from "./pool/file-descriptor.js";

/**
 * Bytes of one call to the operating system: below the 2 GiB that one call can take, and short enough for an abort to be noticed
 * within a tenth of a second on an ordinary disk.
 */
const MAX_CALL_BYTES = 64 * 1024 * 1024;

/**
 * A file on this machine. Reads go straight into the target, WebAssembly memory included. After every read the file is checked to be
 * as it was when it was opened, so that bytes of two versions are never mixed; a file that was replaced by renaming another to its name
 * goes on to be read as it was.
 *
 * @param path a path, where `~/` stands for the home folder, or a `file:` address
 * @throws {CheckpointNotFoundError} NOT_FOUND, with similar names
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE, READ_FAILED, UNFINISHED_EDIT
 * @example
 * const source = await fileSource("model.safetensors");
 * const header = await source.read(8, 100);
 * await source.close?.();
 */
export async function fileSource(path: string | URL, options: SignalOptions = {}): Promise<ByteSource> {
  options.signal?.throwIfAborted();
  const name = localPath(path);
  const { handle, opened } = await openFile(name);
  const size = Number(opened.size);
  let closing: Promise<void> | undefined;

  const fill = async (target: Bytes, start: number, signal: AbortSignal | undefined): Promise<void> => {
    try {
      for (let filled = 0; filled < target.length; ) {
        const length = Math.min(target.length - filled, MAX_CALL_BYTES);
        // An abort is looked at between calls only: while one runs, the operating system writes into the target.
        const { bytesRead } = await handle.read(target, filled, length, start + filled);
        signal?.throwIfAborted();
        if (bytesRead === 0) throw endedEarly(name, start + filled, size, handle.fd);
        filled += bytesRead;
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw closing ? isClosed(name) : fileError(error, name, "read");
    }
    // Synchronous, because a trip through the thread pool takes 30 times as long as the call itself (measured: 80 and 2.5 microseconds).
    if (!closing) checkUnchanged(name, opened, fstatSync(handle.fd, { bigint: true }));
  };

  const check = (start: number, end: number, signal: AbortSignal | undefined): void => {
    signal?.throwIfAborted();
    if (closing) throw isClosed(name);
    checkRange(source, start, end);
  };
  const source: ByteSource = {
    size,
    name,
    async read(start, end, { signal } = {}) {
      check(start, end, signal);
      const target = new Uint8Array(end - start);
      await fill(target, start, signal);
      return target;
    },
    async readInto(target, start, { signal } = {}) {
      check(start, start + target.length, signal);
      await fill(target, start, signal);
    },
    descriptor: () => fileDescriptor(name, opened),
    close() {
      closing ??= handle.close();
      return closing;
    },
  };
  return source;
}

/** Opens a regular file. A look before the opening keeps a pipe without a writer from blocking it for ever. */
async function openFile(path: string): Promise<{ handle: FileHandle; opened: BigIntStats }> {
  let handle: FileHandle | undefined;
  try {
    const before = await stat(path);
    if (!before.isFile()) throw notAFile(path, before.isDirectory());
    handle = await open(path, "r");
    const opened = await handle.stat({ bigint: true });
    if (!opened.isFile()) throw notAFile(path, opened.isDirectory());
    checkNoUnfinishedEdit(path, handle.fd, exactSize(path, opened));
    return { handle, opened };
  } catch (error) {
    await handle?.close();
    throw fileError(error, path, "opened");
  }
}
