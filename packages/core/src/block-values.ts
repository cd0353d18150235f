import type { BlockCoding } from "./block-coding.js";
import { type ByteSource, type Bytes, checkRange } from "./byte-source.js";
import type { SignalOptions } from "./progress.js";
import { Storage } from "./storage.js";
import { TensorHandle } from "./tensor.js";

/** Bytes of blocks that are decoded at a time. */
const PIECE_BYTES = 256 * 1024;

/**
 * The tensor as real numbers: where its elements are packed in blocks, a tensor of F32 that decodes them as it is read; else the
 * tensor itself. Reads no bytes by itself, and no more than the blocks that are asked for later.
 *
 * @example const numbers = await decodedTensor(tensor).read(); // float32, little-endian
 */
export function decodedTensor(tensor: TensorHandle): TensorHandle {
  const { spec, keys, name, group, storage } = tensor;
  const { blocks, bits: _, ...rest } = spec;
  if (!blocks) return tensor;
  const decoded = storage && new Storage({ id: storage.id, bytes: decodedSource(tensor, blocks), ...orderOf(storage) });
  return new TensorHandle({ ...rest, dtype: "F32", storage: decoded, byteOffset: 0 }, { keys, name, group });
}

const orderOf = ({ fileOffset }: Storage): { fileOffset?: number } => (fileOffset === undefined ? {} : { fileOffset });

/** The float32 numbers of a tensor's blocks, as bytes. */
function decodedSource(tensor: TensorHandle, { elements, bytes: blockBytes, decode }: BlockCoding): ByteSource {
  const bytesOut = 4 * elements;
  const blocksAtOnce = Math.max(1, Math.floor(PIECE_BYTES / blockBytes));
  const readInto = async (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    checkRange(source, start, start + target.length);
    const end = start + target.length;
    for (let first = Math.floor(start / bytesOut); first * bytesOut < end; first += blocksAtOnce) {
      options?.signal?.throwIfAborted();
      const count = Math.min(blocksAtOnce, Math.ceil(end / bytesOut) - first);
      const blocks = new Uint8Array(count * blockBytes);
      await tensor.readInto(blocks, first * blockBytes, options);
      const numbers = new Float32Array(count * elements);
      decode(blocks, numbers);
      const at = first * bytesOut;
      const from = Math.max(start, at);
      const to = Math.min(end, at + count * bytesOut);
      target.set(new Uint8Array(numbers.buffer, from - at, to - from), from - start);
    }
  };
  const source: ByteSource = {
    size: 4 * tensor.elementCount,
    name: tensor.path,
    readInto,
    async read(start, end, options) {
      checkRange(source, start, end);
      const target = new Uint8Array(end - start);
      await readInto(target, start, options);
      return target;
    },
  };
  return source;
}
