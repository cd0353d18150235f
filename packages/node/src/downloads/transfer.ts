import { type FileHandle, open, statfs } from "node:fs/promises";
import { type Bytes, CheckpointSourceError, type OperationOptions, type RemoteAnswer, type RemoteFile } from "@ckptkit/core";
import { fileError } from "../file-errors.js";
import { flushData } from "../flush.js";
import { type Copy, type CopyFolder, type Journal, PARTIAL } from "./copy-folder.js";
import type { FileLock } from "./file-lock.js";

/**
 * Bytes between two entries of the journal, each written after the bytes before it have reached the device: what a kill or a power cut
 * costs at the most. 8 MiB take a tenth of a second on a fast line.
 */
export const JOURNAL_BYTES = 8 * 1024 * 1024;
/** Bytes of one call to the operating system. */
const WRITE_BYTES = 1024 * 1024;

/** What one request brought: the whole file, or word that the copy is still right. */
export type Transferred =
  | { readonly unchanged: true }
  | { readonly unchanged: false; readonly journal: Journal; readonly fromStart: boolean };

/** What {@link transfer} works with. */
export interface TransferInit extends OperationOptions {
  readonly file: RemoteFile;
  readonly folder: CopyFolder;
  readonly lock: FileLock;
  /** The copy that is there, which may still be right. */
  readonly copy: Copy | undefined;
  /** Sees every byte of a transfer that begins at the file's start. */
  readonly onBytes: ((bytes: Bytes) => void) | undefined;
  /** Called when such a transfer begins. */
  readonly onStart: () => Promise<void>;
}

/**
 * Makes one request, for what is missing of a file, and appends what comes to `partial`. What was written when it fails is kept: the next
 * call goes on from there.
 *
 * @throws what the request throws; NO_SPACE, WRITE_FAILED
 */
export async function transfer({ file, folder, lock, copy, onBytes, onStart, signal, onProgress }: TransferInit): Promise<Transferred> {
  const journal = await folder.readJournal();
  // Everything had come, and the process ended before the copy was made of it.
  if (journal && journal.bytes > 0 && journal.bytes === journal.size) return { unchanged: false, journal, fromStart: false };
  const start = journal?.bytes ?? 0;
  const have = start > 0 ? journal?.version : copy?.version;
  return file.request({ start, have, signal }, async (answer) => {
    if (answer.unchanged && copy) return { unchanged: true };
    if (answer.start !== start && answer.start !== 0) throw misplaced(file.name, start, answer.start);
    const writer = await PartialWriter.open(folder, lock, file, answer);
    const fromStart = answer.start === 0;
    if (fromStart) await onStart();
    try {
      for await (const chunk of answer.chunks()) {
        if (fromStart) onBytes?.(chunk);
        await writer.append(chunk);
        if (writer.size !== undefined) onProgress?.({ phase: "download", done: Math.min(writer.bytes, writer.size), total: writer.size });
        signal?.throwIfAborted();
      }
      return { unchanged: false, journal: await writer.finish(), fromStart };
    } finally {
      await writer.close();
    }
  });
}

/** Appends to `partial`, and keeps the journal. */
class PartialWriter {
  readonly size: number | undefined;
  bytes: number;
  #pending: Bytes[] = [];
  #pendingBytes = 0;
  #journaled: number;

  private constructor(
    readonly folder: CopyFolder,
    readonly lock: FileLock,
    readonly file: RemoteFile,
    readonly answer: RemoteAnswer,
    readonly handle: FileHandle,
  ) {
    this.size = answer.size ?? file.size;
    this.bytes = answer.start;
    this.#journaled = answer.start;
  }

  static async open(folder: CopyFolder, lock: FileLock, file: RemoteFile, answer: RemoteAnswer): Promise<PartialWriter> {
    const path = folder.at(PARTIAL);
    try {
      if (answer.start === 0) await folder.discardPartial();
      const handle = await open(path, answer.start === 0 ? "w" : "r+");
      const writer = new PartialWriter(folder, lock, file, answer, handle);
      try {
        await handle.truncate(answer.start);
        await checkSpace(folder.path, writer.size === undefined ? 0 : writer.size - answer.start, file.name);
        await writer.#journal();
        return writer;
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw fileError(error, path, "written");
    }
  }

  /** Takes bytes; those of many small chunks go out together. */
  async append(chunk: Bytes): Promise<void> {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    this.bytes += chunk.length;
    if (this.#pendingBytes >= WRITE_BYTES) await this.#write();
    if (this.bytes - this.#journaled >= JOURNAL_BYTES) await this.#journal();
  }

  /** @throws {CheckpointSourceError} READ_FAILED unless exactly the announced bytes have come. */
  async finish(): Promise<Journal> {
    const journal = await this.#journal();
    if (this.size === undefined || this.bytes === this.size) return { ...journal, size: this.bytes };
    if (this.bytes > this.size) await this.folder.discardPartial();
    throw new CheckpointSourceError("READ_FAILED", `The download of ${this.file.name} ended after ${this.bytes} of ${this.size} bytes.`, {
      details: { name: this.file.name, expected: this.size, found: this.bytes },
      retryable: true,
    });
  }

  /** Writes what is pending even when the transfer failed, so that the next one need not fetch it again. */
  async close(): Promise<void> {
    await this.#journal().catch(() => undefined);
    await this.handle.close();
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    let at = this.bytes - this.#pendingBytes;
    try {
      for (const piece of this.#pending) {
        for (let written = 0; written < piece.length; ) {
          const { bytesWritten } = await this.handle.write(piece, written, piece.length - written, at);
          written += bytesWritten;
          at += bytesWritten;
        }
      }
    } catch (error) {
      throw fileError(error, this.folder.at(PARTIAL), "written");
    } finally {
      this.#pending = [];
      this.#pendingBytes = 0;
    }
  }

  async #journal(): Promise<Journal> {
    await this.#write();
    const { name } = this.file;
    const { version, resumable } = this.answer;
    const journal: Journal = { name, version, size: this.size, bytes: this.bytes };
    // What cannot be gone on from is not recorded.
    if (resumable) {
      try {
        await flushData(this.handle);
        await this.lock.check();
        await this.folder.writeJournal(journal);
      } catch (error) {
        throw fileError(error, this.folder.at(PARTIAL), "written");
      }
    }
    this.#journaled = this.bytes;
    return journal;
  }
}

/** Refuses a download that cannot fit before it has filled the device. */
async function checkSpace(path: string, needed: number, name: string): Promise<void> {
  const found = await statfs(path).catch(() => undefined);
  const free = found && found.bavail * found.bsize;
  if (free === undefined || free === 0 || needed <= free) return;
  throw new CheckpointSourceError("NO_SPACE", `${name} does not fit into ${path}: it needs ${needed} bytes more, and ${free} are free.`, {
    details: { name, folder: path, needed, free },
    suggestions: ["Free some space, or keep copies on another device (cacheDir, CKPTKIT_CACHE_DIR)."],
  });
}

const misplaced = (name: string, expected: number, found: number): CheckpointSourceError =>
  new CheckpointSourceError("HTTP_BAD_RANGE", `${name} was asked for from byte ${expected} on, and the answer begins at ${found}.`, {
    details: { name, expected, found },
  });
