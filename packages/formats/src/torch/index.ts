export { openTorchLegacy, torchLegacyReader } from "./legacy-reader.js";
export type { ResolveTensor } from "./tensor-to-pickle.js";
export { archiveRoot, type TorchWriteOptions, type TorchWriteResult, writeTorch } from "./writer.js";
export { openTorchZip, torchZipReader } from "./zip-reader.js";
