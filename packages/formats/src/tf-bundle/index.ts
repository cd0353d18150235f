export { openTfBundle, tfBundleReader } from "./reader.js";
export { tfBundlePart } from "./signature.js";
