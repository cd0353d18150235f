import type { BlockCoding } from "./block-coding.js";
import type { Bytes } from "./byte-source.js";
import { bitsOf } from "./dtype.js";
import { CheckpointError, CheckpointLoadError } from "./errors.js";
import { gather } from "./gather.js";
import { DEFAULT_LIMITS } from "./limits.js";
import type { SignalOptions } from "./progress.js";
import { contiguousStrides, countElements, isContiguous, reachOf } from "./shape.js";
import type { Storage } from "./storage.js";
import { toTensorValues } from "./tensor-values.js";
import type { PathKey } from "./tree.js";

/** How a quantised tensor's integers stand for real numbers: real = scale x (integer - zeroPoint). */
export type Quantization =
  | { scheme: "per_tensor_affine"; scale: number; zeroPoint: number }
  | { scheme: "per_channel_affine" | "per_channel_affine_float_qparams"; axis: number; scales: TensorSpec; zeroPoints: TensorSpec };

/** A tensor as a view of a storage. */
export interface TensorSpec {
  /** A code of {@link DTYPES}, or another format's own name of a type. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Elements between neighbours, per axis. Row-major when left out. */
  readonly strides?: readonly number[];
  /** Where the bytes are; undefined for tensors that have none (the meta device). */
  readonly storage: Storage | undefined;
  /** Bytes from the storage's start to the tensor's first element. */
  readonly byteOffset: number;
  /** Bits of one element: needed only when `dtype` is not in {@link DTYPES}. */
  readonly bits?: number;
  readonly quantization?: Quantization;
  /** How elements are packed in blocks that share a scale; `bits` is their share of a block then. `decodedTensor` gives the numbers. */
  readonly blocks?: BlockCoding;
  readonly requiresGrad?: boolean;
  /** The stored values are the conjugates of the tensor's. */
  readonly conj?: boolean;
  /** The stored values are the tensor's negated. */
  readonly neg?: boolean;
}

/** What a tensor belongs to. */
export type TensorGroup = "model" | "optimizer" | "other";

/** Where a tensor stands in its checkpoint. */
export interface TensorPlace {
  /** Keys from the root: unambiguous. */
  readonly keys: readonly PathKey[];
  /** The name in its state dict for model weights, else the path. */
  readonly name: string;
  readonly group: TensorGroup;
}

/**
 * Checks with exact integers that a view stays within its storage.
 *
 * @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS
 */
export function checkBounds(spec: TensorSpec, keys: readonly PathKey[]): void {
  const what = (): string => `Tensor "${keys.join(".")}"`; // only an error needs it: checkpoints have tens of thousands of tensors
  const strides = spec.strides ?? contiguousStrides(spec.shape);
  if (strides.length !== spec.shape.length) {
    throw new CheckpointLoadError("TENSOR_OUT_OF_BOUNDS", `${what()} has ${spec.shape.length} axes and ${strides.length} strides.`);
  }
  const bits = bitsOf(spec) * reachOf(spec.shape, strides);
  const end = spec.byteOffset + Math.ceil(bits / 8);
  if (!Number.isSafeInteger(bits) || !Number.isSafeInteger(spec.byteOffset) || spec.byteOffset < 0) {
    throw new CheckpointLoadError("TENSOR_OUT_OF_BOUNDS", `${what()} has an offset or size beyond 2^53 - 1.`);
  }
  if (spec.storage && bits > 0 && end > spec.storage.byteLength) {
    throw new CheckpointLoadError(
      "TENSOR_OUT_OF_BOUNDS",
      `${what()} (${spec.dtype}, shape [${spec.shape.join(", ")}], strides [${strides.join(", ")}], byte offset ${spec.byteOffset}) needs ${end} bytes, but its storage "${spec.storage.id}" has ${spec.storage.byteLength}.`,
      { details: { dtype: spec.dtype, shape: spec.shape, strides, byteOffset: spec.byteOffset, storageBytes: spec.storage.byteLength } },
    );
  }
}

/** Tensors beyond this many bytes are tried before memory is taken for them. */
const PROBED_BYTES = 64 * 1024 * 1024;

/**
 * One tensor of a checkpoint. Cheap: no byte of it is read until it is asked for. Bytes come out contiguous, row-major and
 * little-endian, whatever way they are stored.
 */
export class TensorHandle {
  readonly keys: readonly PathKey[];
  readonly name: string;
  readonly group: TensorGroup;
  readonly spec: TensorSpec;
  readonly strides: readonly number[];
  readonly elementCount: number;
  /** Bytes of the contiguous form. */
  readonly byteLength: number;
  readonly contiguous: boolean;

  /** @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS when the view leaves its storage. */
  constructor(spec: TensorSpec, place: TensorPlace) {
    this.spec = spec;
    this.keys = place.keys;
    this.name = place.name;
    this.group = place.group;
    checkBounds(spec, place.keys);
    this.strides = spec.strides ?? contiguousStrides(spec.shape);
    this.elementCount = countElements(spec.shape);
    this.byteLength = Math.ceil((this.elementCount * bitsOf(spec)) / 8);
    this.contiguous = isContiguous(spec.shape, this.strides);
  }

  /** Keys from the root joined with '.'. Two tensors may share a path; their `keys` differ. */
  get path(): string {
    return this.keys.join(".");
  }
  get dtype(): string {
    return this.spec.dtype;
  }
  get shape(): readonly number[] {
    return this.spec.shape;
  }
  get storage(): Storage | undefined {
    return this.spec.storage;
  }

  /**
   * Fills `target` with the tensor's contiguous little-endian bytes from `start` on. Both must be at element boundaries.
   *
   * @throws {CheckpointLoadError} NO_TENSORS when the tensor has no bytes (meta device); LIMIT_EXCEEDED when its strides repeat a small
   * storage beyond `expandedBytes`; UNSUPPORTED_DTYPE for a strided view of
   * elements that are not whole bytes, or a negated view of a dtype without negative numbers.
   * @throws {CheckpointError} OUT_OF_RANGE; INVALID_ARGUMENT when a boundary lies within an element.
   */
  async readInto(target: Bytes, start = 0, options?: SignalOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    if (target.length === 0) return;
    const storage = this.#storageToRead();
    if (start < 0 || start + target.length > this.byteLength) {
      throw new CheckpointError(
        "OUT_OF_RANGE",
        `Bytes [${start}, ${start + target.length}) of tensor "${this.path}" were asked for, but it has ${this.byteLength} bytes.`,
      );
    }
    const unit = unitBytes(this.spec);
    if (start % unit !== 0 || (target.length % unit !== 0 && start + target.length !== this.byteLength)) {
      throw new CheckpointError(
        "INVALID_ARGUMENT",
        `Bytes [${start}, ${start + target.length}) of tensor "${this.path}" cut through its elements of ${unit} bytes.`,
      );
    }
    if (this.contiguous) await storage.readInto(target, this.spec.byteOffset + start, options);
    else await gather(this, target, start, DEFAULT_LIMITS.gatherBytes, options);
    toTensorValues(this.spec, target);
  }

  /** All bytes at once. For tensors of any size prefer `chunks`. */
  async read(options?: SignalOptions): Promise<Uint8Array> {
    if (this.byteLength > 0) this.#storageToRead();
    // A file may declare terabytes that are nowhere: that shows before room is made for them.
    if (this.byteLength > PROBED_BYTES) await this.readInto(new Uint8Array(chunkUnit(this.spec)), 0, options);
    const bytes = new Uint8Array(this.byteLength);
    await this.readInto(bytes, 0, options);
    return bytes;
  }

  /**
   * The bytes, piece by piece, in `buffer`, which is filled anew for every step.
   *
   * @example for await (const bytes of tensor.chunks(new Uint8Array(1 << 20))) hasher.update(bytes);
   */
  async *chunks(buffer: Bytes, options?: SignalOptions): AsyncGenerator<Bytes, void, void> {
    const unit = chunkUnit(this.spec);
    const step = buffer.length - (buffer.length % unit);
    if (step === 0) throw new CheckpointError("INVALID_ARGUMENT", `The buffer must hold at least ${unit} bytes.`);
    if (this.contiguous) {
      for (let start = 0; start < this.byteLength; start += step) {
        const piece = buffer.subarray(0, Math.min(step, this.byteLength - start));
        await this.readInto(piece, start, options);
        yield piece;
      }
      return;
    }
    // A small piece of a transposed tensor is strewn over all of its storage. So such tensors are gathered in pieces as large as
    // they may be, and handed on in pieces of the caller's size.
    this.#storageToRead();
    const gathered = new Uint8Array(Math.min(this.byteLength, step * Math.ceil(DEFAULT_LIMITS.gatherBytes / step)));
    for (let start = 0; start < this.byteLength; start += gathered.length) {
      const part = gathered.subarray(0, Math.min(gathered.length, this.byteLength - start));
      await this.readInto(part, start, options);
      for (let at = 0; at < part.length; at += step) {
        const piece = buffer.subarray(0, Math.min(step, part.length - at));
        piece.set(part.subarray(at, at + piece.length));
        yield piece;
      }
    }
  }

  /**
   * The storage, where there are bytes worth reading.
   *
   * @throws {CheckpointLoadError} NO_TENSORS; LIMIT_EXCEEDED when a small storage stands for far more bytes, by strides that repeat it.
   */
  #storageToRead(): Storage {
    const { storage } = this.spec;
    if (!storage) throw new CheckpointLoadError("NO_TENSORS", `Tensor "${this.path}" has no bytes in the file (meta device).`);
    const allowed = Math.max(storage.byteLength, DEFAULT_LIMITS.expandedBytes);
    if (this.byteLength > allowed) {
      throw new CheckpointLoadError(
        "LIMIT_EXCEEDED",
        `Tensor "${this.path}" repeats ${storage.byteLength} bytes to ${this.byteLength}; ${allowed} are allowed.`,
        { details: { limit: "expandedBytes", allowed, found: this.byteLength, shape: this.shape, strides: this.strides } },
      );
    }
    return storage;
  }
}

/** Bytes that hold a whole number of elements, the fewest possible; 1 for formats' own dtypes of fractional bits. */
function unitBytes(spec: TensorSpec): number {
  const bits = bitsOf(spec);
  return Number.isInteger(bits) ? bits / greatestDivisor(bits, 8) : 1;
}

/** Bytes of which a chunk is a multiple: whole elements, and whole 16-byte vectors. */
function chunkUnit(spec: TensorSpec): number {
  const unit = unitBytes(spec);
  return (unit * 16) / greatestDivisor(unit, 16);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
