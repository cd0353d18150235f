import { CheckpointLoadError } from "@ckptkit/core";

/** The error for metadata of zarr that make no sense, or chunks that do not fit them. */
export function zarrError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("ZARR_CORRUPT", `The zarr metadata of ${name} make no sense: ${why}.`, {
    details,
    suggestions: ["Copy the folder again, or write the array again."],
  });
}
