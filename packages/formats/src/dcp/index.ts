export { dcpReader, openDcp } from "./reader.js";
