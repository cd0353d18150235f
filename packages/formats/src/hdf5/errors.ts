import { CheckpointError, CheckpointLoadError } from "@ckptkit/core";

/** The error for a file whose structures make no sense. */
export function hdf5Error(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("HDF5_CORRUPT", `${name} is no good HDF5 file: ${why}.`, {
    details,
    suggestions: ["Fetch the file again, or compare its size with the original's."],
  });
}

/** The error for what HDF5 knows and is not read here: `what` is a sentence without its full stop. */
export function hdf5Unsupported(name: string, what: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("HDF5_UNSUPPORTED", `${what}, which is not read here (${name}).`, {
    details,
    suggestions: ["Write the file again with h5repack, without filters other than gzip: h5repack -f GZIP=1 old.h5 new.h5."],
  });
}

/** Whether an error concerns one object of a file only, so that the others can be read. */
export const isOfOneObject = (error: unknown): error is CheckpointError =>
  error instanceof CheckpointError &&
  (error.code === "HDF5_CORRUPT" || error.code === "HDF5_UNSUPPORTED" || error.code === "TENSOR_OUT_OF_BOUNDS");
