import { CheckpointConfigError, CheckpointError, CheckpointIntegrityError, CheckpointValidationError } from "@ckptkit/core";
import { writeJson } from "./json.js";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";

/** What the process's exit code means. */
export const EXIT = { good: 0, problem: 1, unusable: 2, interrupted: 130 } as const;

/** How the command ends after an error: 1 when the checkpoint was read and is not what it should be, 2 when it could not be read or asked for. */
export function exitCodeOf(error: unknown): number {
  const isProblem = error instanceof CheckpointIntegrityError || error instanceof CheckpointValidationError;
  return isProblem ? EXIT.problem : EXIT.unusable;
}

/** Every error as one with a code: what was not thrown on purpose is a defect. */
export function asCheckpointError(error: unknown): CheckpointError {
  if (error instanceof CheckpointError) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new CheckpointError("INTERNAL", message, {
    suggestions: ["This is a defect in ckptkit: please report it, with what --verbose prints."],
    cause: error,
  });
}

/** Tells a person of an error: code, message, what to try; with `verbose` details and stack too. */
export function writeError(error: CheckpointError, screen: Screen, verbose: boolean): void {
  const { colors } = screen;
  // A configuration's defects stand one a line. Messages about checkpoints may hold names from the file: they stay on one line.
  const lines = error instanceof CheckpointConfigError ? error.message.split("\n") : [error.message];
  let text = `${colors.red(`error[${error.code}]`)}: ${lines.map(printable).join("\n")}\n`;
  for (const suggestion of error.suggestions) text += `  ${colors.cyan("try:")} ${printable(suggestion)}\n`;
  if (verbose) {
    if (Object.keys(error.details).length > 0) text += `  ${colors.dim("details:")} ${printable(JSON.stringify(error.details))}\n`;
    for (const line of stackLines(error)) text += `${colors.dim(printable(line))}\n`;
  }
  screen.write(text);
}

/** Tells a program of an error. */
export function writeErrorJson(error: CheckpointError, screen: Screen): void {
  writeJson(screen, { error: error.toJSON() });
}

function stackLines(error: unknown): string[] {
  const lines: string[] = [];
  for (let next = error, depth = 0; next instanceof Error && depth < 5; next = next.cause, depth++) {
    const frames = (next.stack ?? String(next)).split("\n").filter((line) => line.startsWith("    at "));
    lines.push(`${depth > 0 ? "caused by " : ""}${next.name}: ${next.message}`, ...frames);
  }
  return lines;
}
