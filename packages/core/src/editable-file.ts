import type { ByteSource } from "./byte-source.js";

/** Bytes that take the place of as many others in a file, or stand behind its end. */
export interface BytePatch {
  /** Where the first of them goes, in bytes from the file's start. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * A file that can be changed where it lies, for changes that are small beside it: of 100 GB of weights not one byte is copied to
 * change a line of metadata.
 */
export interface EditableFile {
  /** The file as it was when it was opened. Not to be read after a patch. */
  readonly source: ByteSource;
  /**
   * Makes all of these changes or none of them, also when the process is killed in the middle: then what is there is known for an
   * unfinished edit, and the old file can be had back.
   *
   * @param patches lie within the file or touch its end, and do not overlap.
   * @param size of the file afterwards, in bytes.
   * @throws {CheckpointSourceError} ACCESS_DENIED, NO_SPACE, WRITE_FAILED, SOURCE_CHANGED; UNFINISHED_EDIT when another edit is under way
   */
  patch(patches: readonly BytePatch[], size: number): Promise<void>;
  close(): Promise<void>;
}
