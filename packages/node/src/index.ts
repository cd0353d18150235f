export { defaultCopiesFolder } from "./downloads/copy-folder.js";
export { type FolderDownloadsOptions, folderDownloads } from "./downloads/folder-downloads.js";
export * from "./file-sink.js";
export * from "./file-source.js";
export * from "./file-source-sync.js";
export { type InstalledStageModule, installedStageModules } from "./installed-stages.js";
export * from "./node-platform.js";
export * from "./open-checkpoint.js";
