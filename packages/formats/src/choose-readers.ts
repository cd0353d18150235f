import {
  type ByteSource,
  type Bytes,
  CheckpointError,
  CheckpointLoadError,
  type FormatReader,
  type OpenOptions,
  type Probe,
} from "@ckptkit/core";
import { READERS } from "./readers.js";
import { unknownFormat } from "./unknown-format.js";

/** Bytes read from the file's head to tell what it is. Many descriptions are within them. */
export const PROBE_BYTES = 64 * 1024;

/** How to open: which formats to consider, besides what every reader takes. */
export interface OpenCheckpointOptions extends OpenOptions {
  /** Readers to choose from; all of this package when left out. */
  readers?: readonly FormatReader[];
}

/** The readers that know the file by its beginning. @throws {CheckpointLoadError} UNKNOWN_FORMAT, LFS_POINTER */
export function readersFor(head: Bytes, { size, name }: ByteSource, { readers = READERS }: OpenCheckpointOptions): readonly FormatReader[] {
  const probe: Probe = { head, size, name };
  const matching = readers.filter((candidate) => candidate.matches(probe));
  if (matching.length === 0) throw unknownFormat(probe, readers);
  return matching;
}

/** Several formats begin alike (zip archives, tar archives): a reader that finds another one than its own lets the next one try. */
export const isOfAnotherFormat = (error: unknown): boolean => error instanceof CheckpointError && error.code === "UNSUPPORTED_FORMAT";

/** The error for a file without bytes. */
export const emptyFile = ({ name }: ByteSource): CheckpointLoadError =>
  new CheckpointLoadError("EMPTY_FILE", `${name} is empty: it has no bytes.`, { suggestions: ["Fetch the file again."] });
