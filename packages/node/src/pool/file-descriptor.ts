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
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
}

/** The descriptor of an open file. */
export function fileDescriptor(name: string, { size, mtimeNs, dev, ino }: BigIntStats): FileDescriptor {
  return { kind: FILE_KIND, path: resolve(name), name, size, mtimeNs, dev, ino };
}

/** @throws {CheckpointError} INTERNAL unless it is the descriptor of a file */
export function parseFileDescriptor(descriptor: SourceDescriptor): FileDescriptor {
  const { kind, path, name } = descriptor;
  if (kind === FILE_KIND && typeof path === "string" && typeof name === "string") return descriptor as FileDescriptor; // made above
  throw new CheckpointError("INTERNAL", `A worker cannot open a file from this descriptor of the kind "${kind}".`, { details: { kind } });
}

/** @throws {CheckpointSourceError} SOURCE_CHANGED unless what a worker has opened is the file that its descriptor is of */
export function checkSameFile(descriptor: FileDescriptor, found: BigIntStats): void {
  const { name, size, mtimeNs, dev, ino } = descriptor;
  if (found.size === size && found.mtimeNs === mtimeNs && found.dev === dev && found.ino === ino) return;
  const replaced = found.dev !== dev || found.ino !== ino;
  throw new CheckpointSourceError(
    "SOURCE_CHANGED",
    replaced
      ? `${name} is another file than the one that was opened: it has been replaced since.`
      : `${name} has changed since it was opened: it had ${size} bytes, and has ${found.size} now.`,
    {
      details: { name, sizeBefore: Number(size), sizeNow: Number(found.size), modified: found.mtime.toISOString() },
      suggestions: ["Wait until whatever writes the file has finished, and open it again."],
    },
  );
}
