import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A piece of a file; all other bytes are zeros. */
export interface Piece {
  at: number;
  bytes: Uint8Array;
}

/** A large file in a folder of its own. */
export interface BigFile {
  readonly path: string;
  readonly size: number;
  /** Names of its tensors: all F32, all of one shape. */
  readonly tensors: readonly string[];
  readonly shape: readonly number[];
  /** Deletes it, with its folder. */
  remove(): Promise<void>;
}

/** What kind of large file to make. */
export interface BigOptions {
  /** Bytes of weights in all. */
  bytes: number;
  /** Into how many tensors they go; each must come to a whole number of float32. 16 by default. */
  tensors?: number;
}

/** A path in a new temporary folder, and what deletes it. */
export async function temporaryFile(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "ckptkit-"));
  return { path: join(folder, name), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Writes a file that takes room only for its pieces, where the file system can (ext4, xfs, APFS, NTFS on request). */
export async function writeSparse(path: string, size: number, pieces: readonly Piece[]): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.truncate(size);
    for (const { at, bytes } of pieces) await file.write(bytes, 0, bytes.length, at);
  } finally {
    await file.close();
  }
}

/** How the weights are cut: names, elements and bytes of each tensor. */
export function planBig({ bytes, tensors = 16 }: BigOptions): { names: string[]; elements: number; tensorBytes: number } {
  const elements = Math.floor(bytes / tensors / 4);
  if (!Number.isSafeInteger(bytes) || elements < 1) throw new Error(`${bytes} bytes cannot be cut into ${tensors} tensors of float32.`);
  const names = Array.from({ length: tensors }, (_, index) => `layers.${index}.weight`);
  return { names, elements, tensorBytes: elements * 4 };
}

/** The value at the start of tensor `index`, as F32 bytes: what tells the tensors of a sparse file apart. */
export const firstValue = (index: number): Uint8Array => new Uint8Array(new Float32Array([index + 0.5]).buffer);
