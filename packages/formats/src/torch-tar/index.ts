export { openTorchTar, torchTarReader } from "./reader.js";
