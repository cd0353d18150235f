import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CheckpointConfigError } from "@ckptkit/core";

/**
 * The path that a person means: `~` stands for the home folder, and a `file:` address for its path.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for an empty path, one with a NUL character, or a `file:` address of another host.
 */
export function localPath(path: string | URL): string {
  const text = String(path);
  if (/^file:/i.test(text)) {
    try {
      return fileURLToPath(text);
    } catch (cause) {
      throw invalidPath(text, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }
  if (text === "") throw invalidPath(text, "it is empty");
  if (text.includes("\0")) throw invalidPath(text, "it holds a NUL character");
  if (text === "~" || text.startsWith("~/")) return join(homedir(), text.slice(1));
  return text;
}

function invalidPath(path: string, why: string, cause?: unknown): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `"${path}" is not a path of a file: ${why}.`, { details: { path }, cause });
}
