export { openTemplateName, templateNameReader } from "./reader.js";
