import type { Bytes } from "./byte-source.js";

/** How a dtype packs some elements into a block of bytes, with what they share: the quantised types of ggml. */
export interface BlockCoding {
  /** Elements of one block. */
  readonly elements: number;
  /** Bytes of one block. */
  readonly bytes: number;
  /** Fills `numbers` with the real numbers of whole blocks, little-endian: `numbers.length / elements` of them. */
  decode(blocks: Bytes, numbers: Float32Array): void;
}
