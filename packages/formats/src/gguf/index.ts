export { ggufMetadataOf, ggufReader, openGguf } from "./reader.js";
export type { GgufScalar, GgufScalarType, GgufValue } from "./values.js";
