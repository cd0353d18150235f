import { CheckpointLoadError } from "@ckptkit/core";

/** The error for metadata of zarr that make no sense, or chunks that do not fit them. */
export function zarrError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("ZARR_CORRUPT", `The zarr metadata of ${name} make no sense: ${why}.`, {
    details,
    suggestions: ["Copy the folder again, or write the array again."],
  });
}

/** The error for an array that is stored in a way that is not known here. */
export const unknownCodec = (name: string, what: string): CheckpointLoadError =>
  new CheckpointLoadError("UNSUPPORTED_CODEC", `The array ${name} is stored with ${what}, which is not read here.`, {
    details: { array: name, codec: what },
    suggestions: ["Write the array again without it, or with zstd, gzip or Blosc."],
  });
