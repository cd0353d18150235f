import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import type { CommandContext } from "./command-context.js";
import { Interrupted, watchInterrupts } from "./interrupt.js";
import { screenOf } from "./output/screen.js";
import { createProgram } from "./program.js";

/** Runs the `ckpt` command with the process's arguments, and sets its exit code. */
export async function main(): Promise<void> {
  endWithTheOutput();
  const { signal, stop } = watchInterrupts();
  const context: CommandContext = { out: screenOf(process.stdout), err: screenOf(process.stderr), signal };
  try {
    await createProgram(ownVersion(), context).parseAsync();
  } catch (error) {
    process.exitCode = await fail(error, context);
  } finally {
    stop();
  }
}

/** Tells of the error; resolves to the exit code. */
async function fail(error: unknown, context: CommandContext): Promise<number> {
  const { signal, err, out } = context;
  // Help and version arrive here too, and are no errors.
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  if (signal.reason instanceof Interrupted) {
    err.write(
      ["convert", "repair", "metadata"].some((command) => process.argv.includes(command))
        ? "interrupted, nothing was written\n"
        : "interrupted\n",
    );
    return signal.reason.exitCode;
  }
  const { asCheckpointError, EXIT, exitCodeOf, writeError, writeErrorJson } = await import("./output/errors.js");
  if (error instanceof CommanderError && error.code === "commander.help") return EXIT.unusable;
  const { usageError } = await import("./usage-error.js");
  const told = error instanceof CommanderError ? usageError(error, process.argv) : asCheckpointError(error);
  const isVerbose = process.argv.some((argument) => argument === "--verbose" || argument === "-v");
  if (process.argv.includes("--json")) writeErrorJson(told, out);
  else writeError(told, err, isVerbose && !(error instanceof CommanderError));
  return exitCodeOf(told);
}

/**
 * Ends the process when its output cannot be written. `ckpt inspect model.ckpt | head` closes the pipe when it has enough: the rest is
 * not wanted, and that is no error.
 */
function endWithTheOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit();
      if (stream === process.stdout) process.stderr.write(`error[WRITE_FAILED]: The output could not be written: ${error.message}.\n`);
      process.exit(2);
    });
  }
}

/** The version in package.json, which stands beside `dist`. */
function ownVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}
