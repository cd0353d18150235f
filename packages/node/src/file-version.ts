import { type BigIntStats, fstatSync } from "node:fs";
import { CheckpointSourceError } from "@ckptkit/core";

/** @throws {CheckpointSourceError} SOURCE_CHANGED unless a file is as it was when it was opened. */
export function checkUnchanged(name: string, opened: BigIntStats, now: BigIntStats): void {
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
export function endedEarly(name: string, at: number, size: number, fd: number): CheckpointSourceError {
  const now = fstatSync(fd).size;
  const why =
    now < size ? `it was cut to ${now} bytes while it was being read` : "the file system gave no more bytes, though the size is unchanged";
  return new CheckpointSourceError(now < size ? "SOURCE_CHANGED" : "READ_FAILED", `${name} ended at byte ${at} of ${size}: ${why}.`, {
    details: { name, at, sizeBefore: size, sizeNow: now },
    suggestions: ["Wait until whatever writes the file has finished, and open it again."],
  });
}

/** The error for a read of a file that was closed. */
export const isClosed = (name: string): CheckpointSourceError =>
  new CheckpointSourceError("SOURCE_CLOSED", `${name} was read after it had been closed.`, { details: { name } });

/** A size as an exact number. @throws {CheckpointSourceError} READ_FAILED for one beyond 2^53 - 1 */
export function exactSize(path: string, { size }: BigIntStats): number {
  if (size <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(size);
  throw new CheckpointSourceError("READ_FAILED", `${path} has ${size} bytes, more than can be counted exactly (2^53 - 1).`, {
    details: { path, size: String(size) },
  });
}
