import type { Bytes, Kernels, OutputTensor } from "@ckptkit/core";

/** Elements and bytes of a Q8_0 block: a float16 scale and 32 signed bytes. @see ggml-common.h block_q8_0 */
const ELEMENTS = 32;
const BLOCK_BYTES = 34;
const IN_BYTES = 4 * ELEMENTS;

/**
 * Whether a tensor is quantised when a model is: matrices whose rows are whole blocks. llama.cpp leaves vectors as they are, too.
 *
 * @see https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp
 */
export const isQuantizable = (shape: readonly number[]): boolean => shape.length >= 2 && (shape.at(-1) ?? 0) % ELEMENTS === 0;

/**
 * A tensor of F32 as Q8_0, to the bit what ggml's reference implementation makes of it. A block with a NaN or an infinity decodes to
 * NaN where they stand.
 *
 * @see https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c quantize_row_q8_0_ref
 */
export function quantizedTensor(tensor: OutputTensor, kernels: Pick<Kernels, "cast">): OutputTensor {
  const blocks = tensor.byteLength / IN_BYTES;
  return {
    name: tensor.name,
    dtype: "Q8_0",
    shape: tensor.shape,
    byteLength: blocks * BLOCK_BYTES,
    tieKey: `${tensor.tieKey}>Q8_0`,
    async *chunks(buffer, options) {
      const room = Math.max(1, Math.floor(buffer.length / IN_BYTES)) * IN_BYTES;
      // What is left of a piece that ends within a block.
      let rest: Bytes = new Uint8Array(0);
      for await (const piece of tensor.chunks(buffer.subarray(0, room), options)) {
        const bytes = new Uint8Array(rest.length + piece.length);
        bytes.set(rest);
        bytes.set(piece, rest.length);
        const whole = bytes.length - (bytes.length % IN_BYTES);
        if (whole > 0) yield quantizeBlocks(new Float32Array(bytes.buffer, 0, whole / 4), kernels);
        rest = bytes.slice(whole);
      }
    },
  };
}

function quantizeBlocks(numbers: Float32Array, kernels: Pick<Kernels, "cast">): Uint8Array {
  const count = numbers.length / ELEMENTS;
  const scales = new Float32Array(count);
  const result = new Uint8Array(count * BLOCK_BYTES);
  for (let block = 0; block < count; block++) {
    const first = block * ELEMENTS;
    let most = 0;
    for (let i = first; i < first + ELEMENTS; i++) {
      const size = Math.abs(numbers[i] ?? 0);
      if (size > most || Number.isNaN(size)) most = size; // a NaN stays, since nothing is larger
    }
    const scale = Math.fround(most / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    scales[block] = scale;
    for (let i = 0; i < ELEMENTS; i++) {
      const x = Math.fround((numbers[first + i] ?? 0) * inverse);
      // Away from zero at a half, as C's roundf.
      result[block * BLOCK_BYTES + 2 + i] = Number.isNaN(x) ? 0 : Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
    }
  }
  const halves = new Uint8Array(2 * count);
  kernels.cast("F32", "F16", new Uint8Array(scales.buffer), halves);
  for (let block = 0; block < count; block++) result.set(halves.subarray(2 * block, 2 * block + 2), block * BLOCK_BYTES);
  return result;
}
