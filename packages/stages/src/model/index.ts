export { compareStateDicts } from "./compare.js";
export * from "./incompatible.js";
export * from "./model-entries.js";
export * from "./reference-model.js";
export * from "./reference-optimizer.js";
