import { type ByteSource, type Bytes, blobSource, CheckpointSourceError, type RemoteFile } from "@ckptkit/core";
import type { TransferOptions } from "./remote-options.js";
import { retrying } from "./retrying.js";

/** Bytes that are collected before they are handed to the platform as one Blob, which a browser may keep on disk. */
const PIECE_BYTES = 16 * 1024 * 1024;

/**
 * Fetches a whole file into a Blob: memory, or what the browser keeps Blobs in. For servers without ranges, where there is no folder for copies.
 *
 * @throws {CheckpointSourceError} READ_FAILED when fewer or more bytes come than were announced
 */
export async function downloadToMemory(file: RemoteFile, { retry, signal, onProgress }: TransferOptions): Promise<ByteSource> {
  return retrying(
    () =>
      file.request({ start: 0, signal }, async ({ chunks, size = file.size, version }) => {
        const pieces: Blob[] = [];
        let pending: Bytes[] = [];
        let pendingBytes = 0;
        let done = 0;
        const keep = (): void => {
          // A Blob copies what it is made of. Fetched chunks are never views of shared memory, which Blobs refuse.
          pieces.push(new Blob(pending as Uint8Array<ArrayBuffer>[]));
          pending = [];
          pendingBytes = 0;
        };
        for await (const chunk of chunks()) {
          pending.push(chunk);
          pendingBytes += chunk.length;
          done += chunk.length;
          if (pendingBytes >= PIECE_BYTES) keep();
          if (size !== undefined) onProgress?.({ phase: "download", done: Math.min(done, size), total: size });
        }
        keep();
        if (size !== undefined && done !== size) throw wrongSize(file.name, size, done);
        return { ...blobSource(new Blob(pieces), file.name), version };
      }),
    retry,
    signal,
  );
}

/** The error for a body of another length than was announced. */
const wrongSize = (name: string, expected: number, found: number): CheckpointSourceError =>
  new CheckpointSourceError("READ_FAILED", `The download of ${name} has ${found} bytes; ${expected} were announced.`, {
    details: { name, expected, found },
    suggestions: ["Try again: the connection may have been cut, or the file replaced meanwhile."],
    retryable: true,
  });
