export { onnxReader, openOnnx } from "./reader.js";
