import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, link, mkdir, open, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type ByteSink, type Bytes, CheckpointSourceError } from "@ckptkit/core";
import { fileError, notAFile, systemCode } from "./file-errors.js";
import { flush, flushData, flushFolder } from "./flush.js";
import { localPath } from "./local-path.js";

/** What {@link fileSink} takes. */
export interface FileSinkOptions {
  /** Whether a file that is there already is replaced (true) or is an error. */
  overwrite?: boolean | undefined;
}

/**
 * The device begins to take bytes after so many: a commit has to wait for the last of them only. On an NVMe disk a conversion of 1 GiB took
 * a third less time so (`pnpm bench --only convert`).
 */
const FLUSH_BYTES = 16 * 1024 * 1024;

/** Letters of the destination's name in the temporary one: names have at most 255 bytes, and a letter at most four. */
const MAX_STEM_LETTERS = 50;

/**
 * Writes a file whole or not at all: into a temporary file in the same folder (`.NAME.ckptkit-RANDOM.tmp`), which on `commit` is flushed to
 * the device and renamed. Until then a file at the path stays as it is, also when the process is killed. Folders above it are made;
 * the mode of a replaced file is kept; a symbolic link is followed.
 *
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE, NO_SPACE, WRITE_FAILED; DESTINATION_EXISTS with `overwrite: false`
 * @example
 * const sink = await fileSink("out/model.safetensors");
 * try {
 *   await sink.write(bytes);
 *   await sink.commit();
 * } catch (error) {
 *   await sink.abort();
 *   throw error;
 * }
 */
export async function fileSink(path: string | URL, { overwrite = true }: FileSinkOptions = {}): Promise<ByteSink> {
  const name = localPath(path);
  const { handle, temporary, destination, replaced, madeFolder } = await prepare(name, overwrite);
  let position = 0;
  let state: "open" | "committed" | "aborted" = "open";
  let failure: unknown;
  let committing: Promise<void> | undefined;
  /** The flush that is on its way, and where it began. */
  let flushing: Promise<void> | undefined;
  let flushedTo = 0;
  /** The last of the writes, which run one after the other. */
  let tail: Promise<void> = Promise.resolve();

  const flushSoon = (): void => {
    if (flushing || position - flushedTo < FLUSH_BYTES) return;
    flushedTo = position;
    flushing = flushData(handle).then(
      () => {
        flushing = undefined;
      },
      (error: unknown) => {
        // The system tells of bytes that could not be kept once only.
        failure ??= fileError(error, name, "written");
      },
    );
  };

  const discard = async (): Promise<void> => {
    await flushing;
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    await removeFolders(dirname(destination), madeFolder);
  };

  const append = async (bytes: Bytes): Promise<void> => {
    if (failure) throw failure;
    try {
      for (let written = 0; written < bytes.length; ) {
        written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
      }
      position += bytes.length;
      flushSoon();
    } catch (error) {
      failure = fileError(error, name, "written");
      throw failure;
    }
  };

  const finish = async (): Promise<void> => {
    try {
      await tail;
      await flushing;
      if (failure) throw failure;
      if (replaced) await keepOwnerAndMode(handle, replaced);
      await flush(handle);
      await handle.close();
      await publish(temporary, destination, overwrite);
    } catch (error) {
      state = "aborted";
      await discard();
      throw systemCode(error) === "EEXIST" ? alreadyThere(name) : fileError(error, name, "written");
    }
    await flushFolder(dirname(destination));
  };

  return {
    name,
    get position() {
      return position;
    },
    async write(bytes) {
      if (state !== "open") throw misused(name, "written to", state);
      const turn = tail.then(() => append(bytes));
      tail = turn.catch(() => undefined);
      await turn;
    },
    async commit() {
      if (state === "aborted") throw misused(name, "committed", state);
      state = "committed";
      committing ??= finish();
      await committing;
    },
    async abort() {
      if (state !== "open") return;
      state = "aborted";
      await tail;
      await discard();
    },
  };
}

interface Prepared {
  handle: FileHandle;
  temporary: string;
  destination: string;
  /** The file that will be replaced. */
  replaced: Stats | undefined;
  /** The topmost folder that had to be made. */
  madeFolder: string | undefined;
}

async function prepare(name: string, overwrite: boolean): Promise<Prepared> {
  let folder = "";
  let madeFolder: string | undefined;
  try {
    // The end of a chain of links, so that the file is replaced and not the link to it. Nothing there yet: the path itself.
    const destination = await realpath(name).catch(() => name);
    const replaced = await stat(destination).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (replaced && !replaced.isFile()) throw notAFile(name, replaced.isDirectory());
    if (replaced && !overwrite) throw alreadyThere(name);
    folder = dirname(destination);
    madeFolder = await mkdir(folder, { recursive: true });
    const stem = basename(destination).slice(0, MAX_STEM_LETTERS);
    const temporary = join(folder, `.${stem}.ckptkit-${randomBytes(6).toString("hex")}.tmp`);
    return { handle: await open(temporary, "wx"), temporary, destination, replaced, madeFolder };
  } catch (error) {
    await removeFolders(folder, madeFolder);
    throw fileError(error, name, "written");
  }
}

/** Removes the folders that were made, from the innermost outwards, as long as they are empty. */
async function removeFolders(innermost: string, topmost: string | undefined): Promise<void> {
  if (topmost === undefined) return;
  const end = resolve(topmost);
  for (let folder = resolve(innermost); folder.startsWith(end); folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return;
    }
  }
}

/** Gives the new file the mode of the one that it replaces, and its owner where this process may. */
async function keepOwnerAndMode(handle: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  await handle.chown(uid, gid).catch(() => undefined);
  // Last, because a change of owner clears the set-user-id bits. The type of the file is not part of the mode that is set.
  await handle.chmod(mode % 0o10000);
}

/** Moves the finished file to its name; without `overwrite`, only if nothing came to be there meanwhile. */
async function publish(temporary: string, destination: string, overwrite: boolean): Promise<void> {
  if (overwrite) return rename(temporary, destination);
  try {
    await link(temporary, destination);
  } catch (error) {
    // File systems without hard links (FAT, some network shares): a look first is the best that can be done.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(systemCode(error))) throw error;
    if (await stat(destination).catch(() => undefined)) throw alreadyThere(destination);
    return rename(temporary, destination);
  }
  await rm(temporary, { force: true });
}

const alreadyThere = (name: string): CheckpointSourceError =>
  new CheckpointSourceError("DESTINATION_EXISTS", `${name} exists already.`, {
    details: { path: name },
    suggestions: ["Choose another name, or allow it to be replaced (overwrite: true; --force on the command line)."],
  });

const misused = (name: string, what: string, state: string): CheckpointSourceError =>
  new CheckpointSourceError("WRITE_FAILED", `${name} was ${what} after it had been ${state}.`, { details: { path: name } });
