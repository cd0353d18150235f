import { type ByteSource, CheckpointConfigError, CheckpointError, type OpenOptions, type SignalOptions } from "@ckptkit/core";

/** Values by their keys, such as the files of a folder by their paths: what arrays of zarr are kept in. */
export interface KeyStore {
  /** A name for people. */
  readonly name: string;
  /** The value of a key; undefined when there is none. Whoever opens it closes it. */
  open(key: string, options?: SignalOptions): Promise<ByteSource | undefined>;
  /** Names of what lies below a key that ends with "/", or at the root for ""; folders end with "/". Undefined where that cannot be told. */
  list(key: string): Promise<readonly string[] | undefined>;
  /** Closes what is open for all values together. */
  close?(): Promise<void>;
}

/** Steps that lead out of a folder, and characters that no file's name can have. */
const leadsAway = (key: string): boolean =>
  key.split("/").some((step) => step === "" || step === "." || step === "..") || /[\\\p{Cc}]/u.test(key);

/**
 * The files beside the one that was opened, by their paths from there.
 *
 * @param below a folder there, with "/" at its end.
 * @throws {CheckpointConfigError} on reading: INVALID_ARGUMENT when nothing was given to open files with
 */
export function folderStore({ openSibling, listSiblings }: OpenOptions, name: string, below = ""): KeyStore {
  return {
    name,
    async open(key) {
      if (!openSibling) throw nothingToOpenWith(name);
      if (leadsAway(key)) return undefined;
      try {
        return await openSibling(below + key);
      } catch (error) {
        if (error instanceof CheckpointError && (error.code === "NOT_FOUND" || error.code === "NOT_A_FILE")) return undefined;
        throw error;
      }
    },
    list: async (key) => (key === "" || !leadsAway(key.slice(0, -1)) ? listSiblings?.(below + key) : []),
  };
}

const nothingToOpenWith = (name: string): CheckpointConfigError =>
  new CheckpointConfigError("INVALID_ARGUMENT", `${name} describes other files, but nothing was given to open them with.`, {
    suggestions: ["Open the checkpoint by the path or address of its folder, or drop the whole folder."],
  });
