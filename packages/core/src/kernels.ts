import type { Bytes } from "./byte-source.js";
import type { DType } from "./dtype.js";

/** Hash functions that the kernels know. */
export const HASH_ALGORITHMS = ["sha256", "xxh3", "xxh3-128", "blake3", "crc32", "crc32c", "md5"] as const;

/** One of {@link HASH_ALGORITHMS}. `xxh3` is the 64-bit variant. */
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

/** What one pass over a tensor's elements found. Complex elements count as two numbers. */
export interface ScanResult {
  /** Numbers seen, special ones included. */
  count: number;
  nan: number;
  posInf: number;
  negInf: number;
  /** Zeros of either sign. */
  zeros: number;
  /** Smallest finite number; null when there is none. 64-bit integers are rounded to the nearest float64. */
  min: number | null;
  /** Largest finite number; null when there is none. */
  max: number | null;
  /** Mean of the finite numbers, summed in float64; null when there is none. */
  mean: number | null;
  /** Population standard deviation of the finite numbers (divisor n); null when there is none. */
  std: number | null;
}

/** Memory of the kernels' own. Reading straight into it saves the one copy. */
export interface KernelBuffer {
  /** A view of the whole buffer, 64-byte aligned, valid until `free`. */
  readonly bytes: Bytes;
  free(): void;
}

/** An incremental scan. */
export interface Scanner {
  /** Adds little-endian elements: a whole number of them. Bytes within a {@link KernelBuffer} are not copied. */
  update(bytes: Bytes): void;
  result(): ScanResult;
  free(): void;
}

/** An incremental hash. */
export interface Hasher {
  update(bytes: Bytes): void;
  /** The digest of everything so far, in the algorithm's canonical order of bytes (CRC and XXH: big-endian). */
  digest(): Uint8Array;
  /** `digest` in lower-case hexadecimal. */
  hexDigest(): string;
  free(): void;
}

/** Dtypes that can be scanned. */
export const SCAN_DTYPES = [
  "F64",
  "F32",
  "F16",
  "BF16",
  "F8_E4M3",
  "F8_E5M2",
  "I64",
  "I32",
  "I16",
  "I8",
  "U8",
  "U16",
  "U32",
  "U64",
  "BOOL",
  "C64",
] as const satisfies readonly DType[];

/** One of {@link SCAN_DTYPES}. */
export type ScanDType = (typeof SCAN_DTYPES)[number];

/** Dtypes between which elements can be cast. */
export const CAST_DTYPES = ["F64", "F32", "F16", "BF16"] as const satisfies readonly DType[];

/** One of {@link CAST_DTYPES}. */
export type CastDType = (typeof CAST_DTYPES)[number];

/**
 * The work on bytes that is worth doing at the speed of memory. One contract, several implementations (plain JavaScript,
 * WebAssembly), which give the same answers.
 */
export interface Kernels {
  /** Which implementation this is: `js`, `wasm`. */
  readonly name: string;
  /** @throws {CheckpointError} LIMIT_EXCEEDED when the kernels' memory is used up. */
  allocate(byteLength: number): KernelBuffer;
  scanner(dtype: ScanDType): Scanner;
  hasher(algorithm: HashAlgorithm): Hasher;
  /**
   * Casts little-endian elements, rounding to nearest even, as torch's `Tensor.to(dtype)` does: out of range becomes
   * infinite, NaN stays NaN. Writes `source elements x target item size` bytes to the start of `target`, which must not
   * overlap `source`; returns how many.
   */
  cast(from: CastDType, to: CastDType, source: Bytes, target: Bytes): number;
}
