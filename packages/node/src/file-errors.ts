import { CheckpointError, CheckpointNotFoundError, CheckpointSourceError, type ErrorCode } from "@ckptkit/core";
import { suggestForFolder, suggestForMissing } from "./similar-names.js";

/** What was being done to a file when it failed. */
export type FileAction = "opened" | "read" | "written";

/** The operating system's code of an error: `ENOENT`, `EACCES` ... */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** The path names something that is not a regular file. */
export function notAFile(path: string, isFolder: boolean): CheckpointSourceError {
  return new CheckpointSourceError("NOT_A_FILE", `${path} is ${isFolder ? "a folder" : "a device, pipe or socket"}, not a file.`, {
    details: { path },
    suggestions: isFolder
      ? suggestForFolder(path)
      : ["Give the path of a regular file: reading needs one whose bytes can be read in any order."],
  });
}

/** Puts an error of the file system into words, with what to try. Errors that are ours already pass. */
export function fileError(error: unknown, path: string, action: FileAction): CheckpointError {
  if (error instanceof CheckpointError) return error;
  const code = systemCode(error);
  const details = { path, systemCode: code };
  const failed = (errorCode: ErrorCode, why: string, suggestions: string[], retryable = false): CheckpointSourceError =>
    new CheckpointSourceError(errorCode, `${path} could not be ${action}: ${why}.`, { details, suggestions, cause: error, retryable });
  const writing = action === "written";
  switch (code) {
    case "ENOENT":
      return new CheckpointNotFoundError("NOT_FOUND", `There is no ${path}.`, {
        details,
        suggestions: suggestForMissing(path),
        cause: error,
      });
    case "ENOTDIR":
      return new CheckpointNotFoundError("NOT_FOUND", `There is no ${path}: a part of the path is a file, not a folder.`, {
        details,
        cause: error,
      });
    case "EISDIR":
      return notAFile(path, true);
    case "EACCES":
    case "EPERM":
      return failed("ACCESS_DENIED", "permission denied", [
        `Check the rights of the file and of the folders above it (ls -l), or who runs this process.`,
      ]);
    case "EROFS":
      return failed("ACCESS_DENIED", "its file system is mounted read-only", ["Write to another folder."]);
    case "ENOSPC":
      return failed("NO_SPACE", "no space is left on the device", ["Free some space, or write to another device."]);
    case "EDQUOT":
      return failed("NO_SPACE", "the disk quota is used up", ["Free some space, or ask for a larger quota."]);
    case "EFBIG":
      return failed("NO_SPACE", "the file is larger than its file system or the process's limit allows", [
        "FAT32 holds files of up to 4 GiB: use another file system, or write shards.",
      ]);
    case "ENAMETOOLONG":
      return failed(writing ? "WRITE_FAILED" : "NOT_FOUND", "the name is too long for the file system", ["Use a shorter name."]);
    case "ELOOP":
      return failed("NOT_FOUND", "its symbolic links run in a circle", ["Remove the circle."]);
    case "EMFILE":
    case "ENFILE":
      return failed(
        writing ? "WRITE_FAILED" : "READ_FAILED",
        "too many files are open",
        ["Close checkpoints that are not needed any more, or raise ulimit -n."],
        true,
      );
    case "ESTALE":
      return failed("SOURCE_CHANGED", "it was replaced on the file server", ["Open it again."]);
    default: {
      const why = error instanceof Error ? error.message : String(error);
      return failed(writing ? "WRITE_FAILED" : "READ_FAILED", why, [
        "The device or the connection to it may be failing: look at the system's log.",
      ]);
    }
  }
}
