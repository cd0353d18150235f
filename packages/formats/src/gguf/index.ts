export { ggufMetadataFor } from "./metadata-for.js";
export { isQuantizable } from "./quantize.js";
export { ggufMetadataOf, ggufReader, openGguf } from "./reader.js";
export type { GgufScalar, GgufScalarType, GgufValue } from "./values.js";
export { type GgufWriteOptions, type GgufWriteResult, writeGguf } from "./writer.js";
