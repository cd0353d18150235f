export { onnxDataFiles, onnxReader, openOnnx } from "./reader.js";
