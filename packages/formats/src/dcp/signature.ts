import type { FormatSignature } from "@ckptkit/core";

/** The module of the class that the pickle is of, and where its name ends at the latest: before it stand PROTO and FRAME. */
const METADATA_MODULE = "torch.distributed.checkpoint.metadata";
const MODULE_WITHIN_BYTES = 64;

/** How distributed checkpoints of torch are told: by their `.metadata`. */
export const dcpSignature: FormatSignature = {
  format: "torch-dcp",
  matches: ({ head }) => head[0] === 0x80 && String.fromCharCode(...head.subarray(0, MODULE_WITHIN_BYTES)).includes(METADATA_MODULE),
};
