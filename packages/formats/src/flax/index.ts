export { flaxReader, openFlax } from "./reader.js";
