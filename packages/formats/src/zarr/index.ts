export { openZarr, zarrReader } from "./reader.js";
