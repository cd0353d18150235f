export { marReader, openMar } from "./reader.js";
