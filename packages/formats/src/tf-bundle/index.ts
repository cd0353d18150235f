export { openTfBundle, tfBundleReader } from "./reader.js";
