export { openPt2, pt2Reader } from "./reader.js";
