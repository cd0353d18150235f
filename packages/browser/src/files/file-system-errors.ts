import { CheckpointError, CheckpointNotFoundError, CheckpointSourceError } from "@ckptkit/core";

/** What was being done with a file when the browser refused. */
export type FileOperation = "read" | "written";

/** The name of a DOMException, which is what tells one failure of the file system from another. */
export const exceptionName = (error: unknown): string =>
  typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";

const describe = (error: unknown): string => (error instanceof Error ? error.message.replace(/\.$/, "") : String(error));

/**
 * The coded error for what the browser's file system threw; errors of ours pass unchanged.
 *
 * @see https://fs.spec.whatwg.org/ (which exception each operation throws)
 */
export function fileSystemError(error: unknown, name: string, operation: FileOperation): CheckpointError {
  if (error instanceof CheckpointError) return error;
  const init = { details: { name, exception: exceptionName(error) }, cause: error };
  switch (exceptionName(error)) {
    case "NotFoundError":
      return new CheckpointNotFoundError("NOT_FOUND", `${name} is not there any more, or never was.`, {
        ...init,
        suggestions: ["It may have been moved, renamed or deleted: choose it again."],
      });
    case "NotAllowedError":
    case "SecurityError":
      return new CheckpointSourceError("ACCESS_DENIED", `${name} may not be ${operation}: the browser has no permission for it.`, {
        ...init,
        suggestions: [
          "Permissions end when a page is closed: choose the file again, or ask for the permission (handle.requestPermission) in a click.",
        ],
      });
    case "TypeMismatchError":
      return new CheckpointSourceError("NOT_A_FILE", `${name} is a folder where a file is needed, or the other way round.`, init);
    case "QuotaExceededError":
      return new CheckpointSourceError("NO_SPACE", `There is no room left for ${name}.`, {
        ...init,
        suggestions: [
          "Free space on the disk, or what this site has stored (the browser's settings for site data).",
          "Save to a file of your own (showSaveFilePicker): it does not count against the site's quota.",
        ],
      });
    case "NoModificationAllowedError":
    case "InvalidStateError":
      return new CheckpointSourceError(
        operation === "read" ? "READ_FAILED" : "WRITE_FAILED",
        `${name} is in use by another tab or another writer.`,
        { ...init, suggestions: ["Close the other tab, or wait until it is done, and try again."], retryable: true },
      );
    case "NotReadableError":
      return new CheckpointSourceError("READ_FAILED", `${name} cannot be read: ${describe(error)}.`, {
        ...init,
        suggestions: ["The file may have been changed, moved or unplugged since it was chosen: choose it again."],
      });
    default:
      return new CheckpointSourceError(
        operation === "read" ? "READ_FAILED" : "WRITE_FAILED",
        `${name} could not be ${operation}: ${describe(error)}.`,
        init,
      );
  }
}
