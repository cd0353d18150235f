import { type BigIntStats, fstatSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type ByteSource, type Bytes, CheckpointSourceError, checkRange, type SignalOptions } from "@ckptkit/core";
import { fileError, notAFile } from "./file-errors.js";
import { localPath } from "./local-path.js";

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
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE, READ_FAILED
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
        if (bytesRead === 0) throw endedEarly(name, start + filled, size, handle);
        filled += bytesRead;
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw closing ? isClosed(name) : await fileError(error, name, "read");
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
    descriptor: () => ({ kind: "file", path: resolve(name) }),
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
    if (!before.isFile()) throw await notAFile(path, before.isDirectory());
    handle = await open(path, "r");
    const opened = await handle.stat({ bigint: true });
    if (!opened.isFile()) throw await notAFile(path, opened.isDirectory());
    if (opened.size > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new CheckpointSourceError("READ_FAILED", `${path} has ${opened.size} bytes, more than can be counted exactly (2^53 - 1).`, {
        details: { path, size: String(opened.size) },
      });
    }
    return { handle, opened };
  } catch (error) {
    await handle?.close();
    throw await fileError(error, path, "opened");
  }
}

function checkUnchanged(name: string, opened: BigIntStats, now: BigIntStats): void {
  if (now.size === opened.size && now.mtimeNs === opened.mtimeNs) return;
  const found =
    now.size === opened.size
      ? `it was written to at ${now.mtime.toISOString()}`
      : `it had ${opened.size} bytes when it was opened, and has ${now.size} now`;
  throw new CheckpointSourceError("SOURCE_CHANGED", `${name} changed while it was being read: ${found}.`, {
    details: { name, sizeBefore: Number(opened.size), sizeNow: Number(now.size), modified: now.mtime.toISOString() },
    suggestions: ["Wait until whatever writes the file has finished, and open it again.", "Read a copy of it."],
  });
}

/** The error for a file that ends before the size that it had. */
function endedEarly(name: string, at: number, size: number, handle: FileHandle): CheckpointSourceError {
  const now = fstatSync(handle.fd).size;
  const why =
    now < size ? `it was cut to ${now} bytes while it was being read` : "the file system gave no more bytes, though the size is unchanged";
  return new CheckpointSourceError(now < size ? "SOURCE_CHANGED" : "READ_FAILED", `${name} ended at byte ${at} of ${size}: ${why}.`, {
    details: { name, at, sizeBefore: size, sizeNow: now },
    suggestions: ["Wait until whatever writes the file has finished, and open it again."],
  });
}

const isClosed = (name: string): CheckpointSourceError =>
  new CheckpointSourceError("SOURCE_CLOSED", `${name} was read after it had been closed.`, { details: { name } });
