export { Catalog, OWN_MODULES, type StageModule, TARGET_KEY } from "./catalog.js";
export type { ConfigPath, ConfigPlace } from "./config/document.js";
export { type JsonSchema, pipelineJsonSchema } from "./config/json-schema.js";
export { type ConfigIssue, checkConfig, type LoadConfigOptions, loadConfig, type PipelineConfig } from "./config/load.js";
export { type Override, parseOverride } from "./config/override.js";
export { type PipelineSettings, settingsSchema } from "./config/settings.js";
export { type CatalogEntry, discoverStages, type StageClass } from "./discover.js";
export { simpleName } from "./names.js";
export { contextFromConfig, pipelineFromConfig } from "./pipeline-from-config.js";
