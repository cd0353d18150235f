export { CONVERT_TARGETS, type ConvertOptions, type ConvertReport, type ConvertTarget, convertCheckpoint } from "./convert.js";
export { describeCheckpoint, type InspectReport, type TensorReport } from "./describe.js";
export { estimateMemory, type MemoryEstimate } from "./estimate-memory.js";
export { type HashOptions, hashSource, hashTensors, type TensorHashOptions } from "./hash.js";
export { type ScanOptions, type ScanReport, type ScanRow, scanCheckpoint } from "./scan.js";
export { globFilter, globMatcher, type SelectTensor } from "./select.js";
export { tieKeys } from "./tie-key.js";
