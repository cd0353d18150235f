export { ggmlReader, openGgml } from "./reader.js";
