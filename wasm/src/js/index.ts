export { crc32 } from "./crc32.js";
export { crc32c } from "./crc32c.js";
export { canDecode, countNumbers, decodeNumbers, numbersPerElement } from "./decode-numbers.js";
export { jsKernels } from "./kernels.js";
