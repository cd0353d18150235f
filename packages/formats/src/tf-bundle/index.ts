export { tfBundlePart } from "./looks-like-bundle.js";
export { openTfBundle, tfBundleReader } from "./reader.js";
