export { type EditMetadataOptions, editMetadata, type MetadataEditReport, type MetadataUpdate } from "./edit-metadata.js";
export { type MetadataReport, type ReadMetadataOptions, readMetadata } from "./read-metadata.js";
