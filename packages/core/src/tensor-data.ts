import type { Bytes } from "./byte-source.js";
import type { SignalOptions } from "./progress.js";

/**
 * A tensor's values, wherever they come from: a file, memory, or a computation over other tensors that is carried out when
 * they are read. Bytes are contiguous, row-major and little-endian.
 */
export interface TensorData {
  /** A dtype code such as `F32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Fills `target` with the bytes from `start` on. Both are at element boundaries. */
  readInto(target: Bytes, start?: number, options?: SignalOptions): Promise<void>;
}
