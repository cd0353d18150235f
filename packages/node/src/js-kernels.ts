// What is loaded where WebAssembly cannot run, and nothing else of that package.
export { jsKernels } from "@ckptkit/wasm/js";
