import { utimes } from "node:fs/promises";
import {
  type ByteSource,
  CheckpointSourceError,
  type DownloadOptions,
  type Downloads,
  type Kernels,
  type RemoteFile,
  verifyChecksum,
  withRetries,
} from "@ckptkit/core";
import { fileError } from "../file-errors.js";
import { fileSource } from "../file-source.js";
import { localPath } from "../local-path.js";
import { type Copy, type CopyFolder, defaultCopiesFolder, LOCK, openCopyFolder, PARTIAL } from "./copy-folder.js";
import { evictCopies } from "./evict-copies.js";
import { type FileLock, lockFile } from "./file-lock.js";
import { hashFile, type PieceHasher, pieceHasher } from "./hash-file.js";
import { type Transferred, transfer } from "./transfer.js";

/** Where copies of remote files are kept, and how many. */
export interface FolderDownloadsOptions {
  /** CKPTKIT_CACHE_DIR when left out, else `ckptkit` in the user's folder of caches. */
  folder?: string | undefined;
  /** Bytes of all copies together; those that were not used for longest are removed. Unbounded when left out. */
  maxBytes?: number | undefined;
}

/**
 * Copies of remote files in a folder. A copy is used as long as the server names the same version (or its checksum was
 * verified, in which case nobody is asked); a download that was cut off, even by a kill, goes on where it stopped; processes that
 * want the same file wait for the one that fetches it.
 *
 * @example
 * const downloads = folderDownloads({ folder: "/data/cache" }, () => platform.kernels());
 * const source = await downloads.open(httpFile("https://example.org/model.ckpt"));
 */
export function folderDownloads(options: FolderDownloadsOptions, kernels: () => Promise<Kernels>): Downloads {
  return {
    async open(file, { folder: asked, ...rest }: DownloadOptions = {}) {
      const copies = localPath(asked ?? options.folder ?? defaultCopiesFolder());
      const folder = await openCopyFolder(copies, file.key).catch((error: unknown) => {
        throw fileError(error, copies, "written");
      });
      const lock = await lockFile(folder.at(LOCK), rest.signal);
      let opened: { source: ByteSource; copy: Copy };
      try {
        const copy = await bringUpToDate({ file, folder, lock, kernels, ...rest });
        const now = new Date();
        await utimes(folder.at("copy.json"), now, now);
        opened = { source: await fileSource(folder.at(copy.file)), copy };
      } finally {
        await lock.release();
      }
      if (options.maxBytes !== undefined) await evictCopies(copies, options.maxBytes, folder.path);
      return { ...opened.source, name: file.name, version: opened.copy.version };
    },
  };
}

interface Work extends Omit<DownloadOptions, "folder"> {
  file: RemoteFile;
  folder: CopyFolder;
  lock: FileLock;
  kernels: () => Promise<Kernels>;
}

/** A copy that is what the server has now, and what the checksum says. */
async function bringUpToDate(work: Work): Promise<Copy> {
  const { file, folder, lock, checksum } = work;
  const label = checksum && `${checksum.algorithm}:${checksum.hex}`;
  const kept = await folder.readCopy();
  // The same content is the same content, whatever the server has now.
  if (kept && label !== undefined && kept.checksums.includes(label)) return kept;
  // A version that has no name cannot be told from another.
  const usable = kept && (kept.version.etag ?? kept.version.lastModified) !== undefined ? kept : undefined;
  let streaming: PieceHasher | undefined;
  try {
    const result = await fetchAll(work, usable, {
      onStart: async () => {
        streaming?.free();
        streaming = checksum && (await pieceHasher(checksum.algorithm, work.kernels));
      },
      onBytes: (bytes) => streaming?.update(bytes),
    });
    if (result.unchanged) return await verifyKept(work, usable, label);
    if (checksum) {
      const found =
        result.fromStart && streaming
          ? streaming.hexDigest()
          : await hashFile(folder.at(PARTIAL), await pieceHasher(checksum.algorithm, work.kernels), work);
      verifyChecksum(file.name, checksum, found);
    }
    await lock.check();
    return await folder.publish({ name: file.name, version: result.journal.version, checksums: label === undefined ? [] : [label] });
  } catch (error) {
    if (!canGoOn(error, work.signal)) await folder.discardPartial();
    throw error;
  } finally {
    streaming?.free();
  }
}

interface Hooks {
  onStart: () => Promise<void>;
  onBytes: (bytes: Uint8Array) => void;
}

/** Requests until everything is there. Tries are counted anew whenever one has brought something. */
async function fetchAll(work: Work, copy: Copy | undefined, hooks: Hooks): Promise<Transferred> {
  const { file, folder, lock, retry, signal, onProgress } = work;
  const once = (): Promise<Transferred> => transfer({ file, folder, lock, copy, signal, onProgress, ...hooks });
  if (retry === false) return once();
  for (;;) {
    const before = (await folder.readJournal())?.bytes ?? 0;
    try {
      return await withRetries(once, { ...retry, signal });
    } catch (error) {
      const brought = ((await folder.readJournal())?.bytes ?? 0) > before;
      if (!brought || signal?.aborted || !(error instanceof CheckpointSourceError) || !error.retryable) throw error;
    }
  }
}

/** A copy that is still right, with its checksum verified if one is asked for. */
async function verifyKept(work: Work, kept: Copy | undefined, label: string | undefined): Promise<Copy> {
  const { file, folder, checksum } = work;
  if (!kept) throw new Error("unreachable: only what is there can be unchanged");
  if (!checksum || label === undefined) return kept;
  const hasher = await pieceHasher(checksum.algorithm, work.kernels);
  verifyChecksum(file.name, checksum, await hashFile(folder.at(kept.file), hasher, work));
  const copy = { ...kept, checksums: [...kept.checksums, label] };
  await folder.writeCopy(copy);
  return copy;
}

/** Whether what has come so far is of use to a later try. */
function canGoOn(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return true;
  return error instanceof CheckpointSourceError && error.retryable;
}
