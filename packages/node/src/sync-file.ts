import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { Bytes } from "@ckptkit/core";
import { checkNoUnfinishedEdit } from "./edit/journal-state.js";
import { fileError, notAFile } from "./file-errors.js";
import { checkUnchanged, endedEarly, exactSize } from "./file-version.js";

/** Bytes of one call to the operating system: below the 2 GiB that one call can take. */
export const MAX_CALL_BYTES = 64 * 1024 * 1024;

/** A file that was opened without waiting. */
export interface SyncFile {
  readonly name: string;
  readonly fd: number;
  readonly size: number;
  /** How it was when it was opened. */
  readonly opened: BigIntStats;
}

/**
 * Opens a regular file. A look before the opening keeps a pipe without a writer from blocking it for ever.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND, with similar names
 * @throws {CheckpointSourceError} ACCESS_DENIED, NOT_A_FILE, READ_FAILED, UNFINISHED_EDIT
 */
export function openSyncFile(name: string): SyncFile {
  let fd: number | undefined;
  try {
    const before = statSync(name);
    if (!before.isFile()) throw notAFile(name, before.isDirectory());
    fd = openSync(name, "r");
    const opened = fstatSync(fd, { bigint: true });
    if (!opened.isFile()) throw notAFile(name, opened.isDirectory());
    const size = exactSize(name, opened);
    checkNoUnfinishedEdit(name, fd, size);
    return { name, fd, size, opened };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw fileError(error, name, "opened");
  }
}

/**
 * Fills all of `target` with the file's bytes from `start` on.
 *
 * @throws {CheckpointSourceError} READ_FAILED; SOURCE_CHANGED when the file is not as it was when it was opened
 */
export function readSyncFile({ name, fd, size, opened }: SyncFile, target: Bytes, start: number): void {
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
}
