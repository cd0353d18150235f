export { ocdbtReader, openOcdbt } from "./ocdbt-reader.js";
export { openOrbax, orbaxReader } from "./reader.js";
