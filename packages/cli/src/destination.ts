import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ByteSink, type ByteSource, CheckpointConfigError, CheckpointSourceError, type ErrorCode, type Platform } from "@ckptkit/core";
import type { ConvertTarget } from "@ckptkit/inspect";

/** What a suffix is taken to ask for when --to is not given. */
const BY_SUFFIX: readonly [RegExp, ConvertTarget][] = [
  [/\.safetensors$/i, "safetensors"],
  [/\.(pt|pth|bin)$/i, "state_dict"],
  [/\.ckpt$/i, "lightning"],
  [/\.gguf$/i, "gguf"],
  [/\.npz$/i, "npz"],
];

/**
 * What OUT is to be, by its suffix.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when the suffix says nothing
 */
export function targetOf(out: string): ConvertTarget {
  const found = BY_SUFFIX.find(([suffix]) => suffix.test(out));
  if (found) return found[1];
  throw new CheckpointConfigError("INVALID_ARGUMENT", `The name ${out} does not say what to write.`, {
    details: { out },
    suggestions: [
      "Say it with --to: safetensors, pytorch, lightning, state_dict, gguf or npz.",
      "Or end the name in .safetensors, .pt, .pth, .bin (a state dict), .ckpt (Lightning), .gguf or .npz.",
    ],
  });
}

/** The path that OUT names, a `file:` address included. */
export function pathOf(out: string): string {
  if (out === "-" || out === "") {
    throw new CheckpointConfigError("INVALID_ARGUMENT", "The output must be a file: it is renamed into place when all of it is written.", {
      suggestions: ["Give a path such as out/model.safetensors."],
    });
  }
  return /^file:/i.test(out) ? fileURLToPath(out) : out;
}

/**
 * A maker of the output files, all beside `path`. Refuses files that are being read, by what they are and not by how they are
 * spelled; and what the platform refuses.
 */
export function outputsBeside(path: string, platform: Platform, sources: readonly ByteSource[]): (name: string) => Promise<ByteSink> {
  return async (name) => {
    const output = /^[a-z][a-z0-9+.-]+:\/\//i.test(path) ? path : join(dirname(path), name);
    await refuseInput(output, sources);
    try {
      return await platform.create(output);
    } catch (error) {
      throw error instanceof CheckpointSourceError ? withAdvice(error, output) : error;
    }
  };
}

/** The same error, with what to try on a command line. */
function withAdvice(error: CheckpointSourceError, output: string): CheckpointSourceError {
  const advice: Partial<Record<ErrorCode, string[]>> = {
    DESTINATION_EXISTS: ["Replace it with --force.", "Or choose another name."],
    NOT_A_FILE: [`Give the path of the file to write, such as ${join(output, "model.safetensors")}.`],
  };
  const { code, message, details, suggestions, cause } = error;
  return new CheckpointSourceError(code, message, { details, suggestions: advice[code] ?? suggestions, cause });
}

async function refuseInput(output: string, sources: readonly ByteSource[]): Promise<void> {
  const existing = await identityOf(output);
  if (existing === undefined) return;
  for (const source of sources) {
    const path = source.descriptor?.()?.path;
    if (typeof path !== "string" || (await identityOf(path)) !== existing) continue;
    throw new CheckpointSourceError(
      "DESTINATION_EXISTS",
      `${output} is the file that is being read${resolve(output) === path ? "" : `, as ${source.name}`}.`,
      {
        details: { path: output, input: source.name },
        suggestions: ["Write to another name."],
      },
    );
  }
}

/** Device and inode: the same for all names of one file, links followed. Undefined when nothing is there. */
async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}
