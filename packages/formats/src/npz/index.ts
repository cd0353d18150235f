export { npyReader, openNpy } from "./npy-reader.js";
export { npzReader, openNpz } from "./npz-reader.js";
export { type NpzWriteOptions, writeNpz } from "./writer.js";
