export { nemoReader, openNemo } from "./reader.js";
