export * from "./composition.js";
export * from "./context.js";
export * from "./health.js";
export * from "./model.js";
export * from "./pipeline.js";
export * from "./stage.js";
