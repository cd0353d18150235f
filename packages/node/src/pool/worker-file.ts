import { closeSync } from "node:fs";
import { type ByteSource, checkRange, type SignalOptions, type SourceDescriptor } from "@ckptkit/core";
import { isClosed } from "../file-version.js";
import { openSyncFile, readSyncFile } from "../sync-file.js";
import { checkSameFile, parseFileDescriptor } from "./file-descriptor.js";

/** A worker listens this often: whoever pauses or cancels does not notice the wait. */
const LISTEN_MS = 10;

let listenedAt = 0;

/** Lets messages in every now and then, which a thread that reads and computes without waiting would never hear. */
async function listen({ signal }: SignalOptions): Promise<void> {
  if (performance.now() - listenedAt < LISTEN_MS) return;
  await new Promise((resolve) => setImmediate(resolve));
  listenedAt = performance.now();
  signal?.throwIfAborted();
}

/**
 * A file as a worker reads it: without waiting, as nothing else is to be done in its thread. That takes a third less of the processors' time than reads
 * that go through the threads of libuv (183 and 256 ms for a GB that is scanned as F32, `pnpm bench --only workers`), so it is the faster way
 * when every core has a worker.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointSourceError} SOURCE_CHANGED when the path leads to another file than the one that was described
 */
export function workerFile(described: SourceDescriptor): ByteSource {
  const descriptor = parseFileDescriptor(described);
  const file = openSyncFile(descriptor.path);
  const { name } = descriptor;
  let closed = false;
  const close = (): void => {
    if (!closed) closeSync(file.fd);
    closed = true;
  };
  try {
    checkSameFile(descriptor, file.opened);
  } catch (error) {
    close();
    throw error;
  }
  const check = (start: number, end: number, signal: AbortSignal | undefined): void => {
    signal?.throwIfAborted();
    if (closed) throw isClosed(name);
    checkRange(source, start, end);
  };
  const source: ByteSource = {
    size: file.size,
    name,
    async read(start, end, { signal } = {}) {
      check(start, end, signal);
      const target = new Uint8Array(end - start);
      readSyncFile({ ...file, name }, target, start);
      await listen({ signal });
      return target;
    },
    async readInto(target, start, { signal } = {}) {
      check(start, start + target.length, signal);
      readSyncFile({ ...file, name }, target, start);
      await listen({ signal });
    },
    async close() {
      close();
    },
  };
  return source;
}
