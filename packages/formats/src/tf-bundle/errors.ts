import { CheckpointLoadError } from "@ckptkit/core";

/** The error for an index that makes no sense. */
export const bundleError = (name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError =>
  new CheckpointLoadError("TF_BUNDLE_CORRUPT", `${name} is no good index of a TensorFlow checkpoint: ${why}.`, {
    details,
    suggestions: ["Fetch the file again, or compare its size with the original's."],
  });

/** The error for values in a data file that cannot be had. */
export const shardError = (why: string, details: Record<string, unknown> = {}): CheckpointLoadError =>
  new CheckpointLoadError("TF_BUNDLE_SHARD", why, {
    details,
    suggestions: [
      "Put the .index file and all .data files of the checkpoint into one folder, under the names that they were saved with.",
      "Open the checkpoint by the path or address of its .index file; in a page, drop the folder.",
    ],
  });
