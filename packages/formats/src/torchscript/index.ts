export { openTorchScript, torchScriptReader } from "./reader.js";
