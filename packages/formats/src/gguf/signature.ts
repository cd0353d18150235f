import type { FormatSignature } from "@ckptkit/core";

/** `GGUF`. */
const MAGIC = [0x47, 0x47, 0x55, 0x46];

/** Whether a file begins as GGUF does. */
export const isGguf = (head: Uint8Array): boolean => MAGIC.every((byte, index) => head[index] === byte);

/** How GGUF models are told. */
export const ggufSignature: FormatSignature = { format: "gguf", matches: ({ head }) => isGguf(head) };
