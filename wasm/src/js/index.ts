export * from "./crc.js";
export { canDecode, countNumbers, decodeNumbers, numbersPerElement } from "./decode-numbers.js";
export { jsKernels } from "./kernels.js";
