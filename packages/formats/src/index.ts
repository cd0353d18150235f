export { detectLayout, extractStateDict, findStateDict, type StateDict } from "./layout.js";
export { describeTree } from "./metadata.js";
export { type OpenCheckpointOptions, openCheckpoint, READERS } from "./open-checkpoint.js";
export { type OpenUriOptions, openUri } from "./open-uri.js";
export * from "./safetensors/index.js";
export * from "./torch/index.js";
export type { WriteOptions, WriteResult } from "./write-session.js";
export { CRC_RULE } from "./zip/archive.js";
export { ZipCrcFollower } from "./zip/crc-follower.js";
