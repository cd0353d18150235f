import { CheckpointLoadError } from "@ckptkit/core";

/** The error for a part of an OCDBT database that makes no sense. */
export function ocdbtError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("OCDBT_CORRUPT", `${name} is no good part of an OCDBT database: ${why}.`, {
    details,
    suggestions: ["Copy the whole folder again, with the folders d and ocdbt.process_0 in it."],
  });
}
