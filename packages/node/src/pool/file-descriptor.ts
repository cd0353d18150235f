import type { BigIntStats } from "node:fs";
import { resolve } from "node:path";
import { CheckpointError, CheckpointSourceError, type SourceDescriptor } from "@ckptkit/core";

/** The kind of descriptors of files, which workers of this machine open by themselves. */
export const FILE_KIND = "file";

/** A file by its path, and what tells whether it is still the one that was opened. */
export interface FileDescriptor extends SourceDescriptor {
  readonly kind: typeof FILE_KIND;
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  readonly size: number;
  /** Device and inode: which file it is, whatever its name. */
  readonly identity: string;
  /** Time of its last change in nanoseconds, as text: beyond what a number holds exactly. */
  readonly modified: string;
}

/** The descriptor of an open file. */
export function fileDescriptor(name: string, opened: BigIntStats): FileDescriptor {
  return { kind: FILE_KIND, path: resolve(name), name, size: Number(opened.size), ...versionOf(opened) };
}

const versionOf = ({ dev, ino, mtimeNs }: BigIntStats): Pick<FileDescriptor, "identity" | "modified"> => ({
  identity: `${dev}:${ino}`,
  modified: String(mtimeNs),
});

/** @throws {CheckpointError} INTERNAL unless it is the descriptor of a file */
export function parseFileDescriptor(descriptor: SourceDescriptor): FileDescriptor {
  const { kind, path, name } = descriptor;
  if (kind === FILE_KIND && typeof path === "string" && typeof name === "string") return descriptor as FileDescriptor; // made above
  throw new CheckpointError("INTERNAL", `A worker cannot open a file from this descriptor of the kind "${kind}".`, { details: { kind } });
}

/** @throws {CheckpointSourceError} SOURCE_CHANGED unless what a worker has opened is the file that its descriptor is of */
export function checkSameFile({ name, size, identity, modified }: FileDescriptor, found: BigIntStats): void {
  const now = versionOf(found);
  const sizeNow = Number(found.size);
  if (sizeNow === size && now.identity === identity && now.modified === modified) return;
  const what =
    now.identity === identity
      ? `has been written to since it was opened: it had ${size} bytes then, and has ${sizeNow} now`
      : "is another file than the one that was opened: it has been replaced since";
  throw new CheckpointSourceError("SOURCE_CHANGED", `${name} ${what}.`, {
    details: { name, sizeBefore: size, sizeNow, modified: found.mtime.toISOString() },
    suggestions: ["Wait until whatever writes the file has finished, and open it again."],
  });
}
