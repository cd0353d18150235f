import {
  type ByteSource,
  type Bytes,
  bitsOf,
  CheckpointValidationError,
  type DType,
  decodedTensor,
  type SignalOptions,
  Storage,
  TensorHandle,
} from "@ckptkit/core";
import { canDecode, decodeNumbers, numbersPerElement } from "@ckptkit/wasm/js";
import { type Dequantize, dequantizer } from "./quantized.js";

/** Elements that are decoded at a time: 64 KiB as float64, which stay in a core's cache. */
const BLOCK_ELEMENTS = 8192;

/** Elements at regular distances: lines of a tensor, and places along them. */
export interface ElementGrid {
  /** Row-major place of the first element in the tensor, and from one line, and one element of a line, to the next. */
  readonly first: number;
  readonly lineStep: number;
  readonly step: number;
  /** The same in elements of the storage, from the tensor's first element. */
  readonly storageFirst: number;
  readonly storageLineStep: number;
  readonly storageStep: number;
  readonly lines: number;
  /** Elements of one line. */
  readonly count: number;
}

/** Reads elements of one tensor as real numbers, and counts the bytes. Elements that are packed in blocks are read as the F32 they stand for. */
export class ElementReader {
  /** What is read: of a tensor in blocks, its numbers. */
  readonly tensor: TensorHandle;
  readonly dtype: DType;
  /** Numbers of one element: two for complex dtypes and pairs. */
  readonly width: 1 | 2;
  readonly bits: number;
  /** Bytes of its storage that were read; scales of quantised tensors are not counted. */
  bytesRead = 0;
  readonly #block = new Float64Array(2 * BLOCK_ELEMENTS);
  readonly #dequantize: Dequantize | undefined;

  private constructor(tensor: TensorHandle, dtype: DType, dequantize: Dequantize | undefined) {
    const counted = countReads(tensor, (byteLength) => {
      this.bytesRead += byteLength;
    });
    this.tensor = decodedTensor(counted);
    this.dtype = dtype;
    this.width = numbersPerElement(dtype);
    this.bits = bitsOf(this.tensor.spec);
    this.#dequantize = dequantize;
  }

  /** @throws {CheckpointValidationError} UNSUPPORTED_DTYPE when the elements are no numbers that are known here. */
  static async open(tensor: TensorHandle, options?: SignalOptions): Promise<ElementReader> {
    const { dtype } = decodedTensor(tensor);
    if (!canDecode(dtype)) {
      throw new CheckpointValidationError(
        "UNSUPPORTED_DTYPE",
        `The values of "${tensor.path}" cannot be shown: elements of ${tensor.dtype} cannot be turned into numbers here.`,
        { details: { path: tensor.path, dtype: tensor.dtype }, suggestions: ["Its bytes can be read, hashed and converted all the same."] },
      );
    }
    return new ElementReader(tensor, dtype, await dequantizer(tensor.spec, options));
  }

  /** Decodes bytes of whole elements, of which the first stands at a row-major place. Gives {@link width} numbers an element. */
  decode(bytes: Bytes, count: number, first: number, step = 1): Float64Array {
    const numbers = decodeNumbers(this.dtype, bytes, new Float64Array(count * this.width));
    this.#dequantize?.(numbers, first, step);
    return numbers;
  }

  /** Decodes many elements block by block, into memory that is filled anew for each. */
  decodeBlocks(bytes: Bytes, count: number, first: number, work: (numbers: Float64Array) => void): void {
    for (let at = 0; at < count; at += BLOCK_ELEMENTS) work(this.block(bytes, at, Math.min(BLOCK_ELEMENTS, count - at), first));
  }

  /**
   * Decodes the elements [at, at + count) of some bytes, of which the first stands at a row-major place: up to 8,192, into memory
   * that is filled anew each time. Packed elements begin at a whole byte.
   */
  block(bytes: Bytes, at: number, count: number, first: number): Float64Array {
    const start = (at * this.bits) / 8;
    const part = bytes.subarray(start, start + Math.ceil((count * this.bits) / 8));
    const numbers = decodeNumbers(this.dtype, part, this.#block.subarray(0, count * this.width));
    this.#dequantize?.(numbers, first + at, 1);
    return numbers;
  }

  /** Numbers of the elements [start, start + count) in row-major order. */
  async range(start: number, count: number, options?: SignalOptions): Promise<Float64Array> {
    const { bytes, skip } = await this.bytesOfRange(start, count, options);
    return this.decode(bytes, skip + count, start - skip).subarray(skip * this.width);
  }

  /** Bytes that hold the elements [start, start + count), and how many other elements come before them in the first byte. */
  async bytesOfRange(start: number, count: number, options?: SignalOptions): Promise<{ bytes: Bytes; skip: number }> {
    const each = this.bits < 8 ? 8 / this.bits : 1;
    const from = Math.floor(start / each) * each;
    const startByte = (from * this.bits) / 8;
    const endByte = Math.min(this.tensor.byteLength, Math.ceil(((start + count) * this.bits) / 8));
    const bytes = new Uint8Array(Math.max(0, endByte - startByte));
    await this.tensor.readInto(bytes, startByte, options);
    return { bytes, skip: start - from };
  }

  /** Numbers of a grid, line by line. Reads what lies between far elements only where that is little. */
  async grid(grid: ElementGrid, options?: SignalOptions): Promise<Float64Array> {
    const { first, lineStep, step, lines, count } = grid;
    const perLine = count * this.width;
    const numbers = new Float64Array(lines * perLine);
    if (this.bits < 8) {
      for (let line = 0; line < lines; line++)
        numbers.set(await this.#packedLine(first + line * lineStep, step, count, options), line * perLine);
      return numbers;
    }
    const { spec, keys, name, group } = this.tensor;
    const byteOffset = spec.byteOffset + (grid.storageFirst * this.bits) / 8;
    const strides = [grid.storageLineStep, grid.storageStep];
    const view = new TensorHandle({ ...spec, shape: [lines, count], strides, byteOffset }, { keys, name, group });
    const bytes = await view.read(options);
    const lineBytes = bytes.length / Math.max(1, lines);
    for (let line = 0; line < lines; line++) {
      const part = bytes.subarray(line * lineBytes, (line + 1) * lineBytes);
      numbers.set(this.decode(part, count, first + line * lineStep, step), line * perLine);
    }
    return numbers;
  }

  async #packedLine(first: number, step: number, count: number, options?: SignalOptions): Promise<Float64Array> {
    if (step === 1) return this.range(first, count, options);
    const numbers = new Float64Array(count * this.width);
    for (let i = 0; i < count; i++) numbers.set(await this.range(first + i * step, 1, options), i * this.width);
    return numbers;
  }
}

/** A tensor whose reads are counted. */
function countReads(tensor: TensorHandle, onRead: (byteLength: number) => void): TensorHandle {
  const { storage: inner, keys, name, group, spec } = tensor;
  if (!inner) return tensor;
  const readInto = (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    onRead(target.length);
    return inner.readInto(target, start, options);
  };
  const bytes: ByteSource = {
    size: inner.byteLength,
    name: inner.id,
    readInto,
    async read(start, end, options) {
      const target = new Uint8Array(end - start);
      await readInto(target, start, options);
      return target;
    },
  };
  const storage = new Storage({ id: inner.id, bytes, bigEndian: inner.bigEndian });
  return new TensorHandle({ ...spec, storage }, { keys, name, group });
}
