export { compileKernels, isWasmSupported, loadKernels } from "./load.js";
