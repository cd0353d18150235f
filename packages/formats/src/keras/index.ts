export { kerasReader, openKeras } from "./reader.js";
