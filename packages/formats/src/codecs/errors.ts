import { CheckpointLoadError } from "@ckptkit/core";

/** The error for compressed bytes that cannot be what they say. */
export function compressedError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("COMPRESSION_CORRUPT", `The compressed bytes of ${name} are damaged: ${why}.`, {
    details,
    suggestions: ["Fetch the file again, or compare its size with the original's."],
  });
}

/** Thrown by decoders of blocks, which know neither names nor places: whoever called them says where it was. */
export class BlockError extends Error {}

/** @throws {BlockError} */
export function bad(why: string): never {
  throw new BlockError(why);
}
