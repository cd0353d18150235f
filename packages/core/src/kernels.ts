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

/**
 * What a run of n finite numbers x amounts to. They are seen relative to one of them, so that a large mean does not swallow a
 * small deviation, and times a unit, so that no square overflows or vanishes.
 */
export interface ScanNode {
  /** One of the numbers, times the unit; a bigint for 64-bit integers. */
  readonly k: number | bigint;
  /** Mean of x * unit - k. */
  readonly mean: number;
  /** Sum of the squared deviations of x * unit from their mean. */
  readonly squares: number;
  readonly n: number;
  readonly unit: number;
}

/**
 * What a scanner has found in a run of elements, before it is rounded to a {@link ScanResult}: plain data, which can be sent to
 * another thread and put together with that of neighbouring runs.
 */
export type ScanPart =
  /** Elements of one byte: how often each byte occurs says everything. */
  | { readonly dtype: ScanDType; readonly counts: Float64Array }
  | {
      readonly dtype: ScanDType;
      readonly count: number;
      readonly nan: number;
      readonly posInf: number;
      readonly negInf: number;
      readonly zeros: number;
      /** Smallest and largest finite number; Infinity and -Infinity when there is none. */
      readonly min: number;
      readonly max: number;
      readonly node: ScanNode;
    };

/**
 * Bytes of a run of elements that is scanned by itself: the size of the runs that {@link Kernels.mergeScans} takes. A power of two, so that
 * runs are whole branches of the tree in which a scan adds up.
 */
export const SCAN_PART_BYTES = 8 * 1024 * 1024;

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
  /** Everything so far as it is before it is rounded, for {@link Kernels.mergeScans}. */
  part(): ScanPart;
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
  /**
   * The result of a scan that was done in parts, in the order of the elements: to the last bit that of one scanner over all of them, as
   * long as each part but the last has {@link SCAN_PART_BYTES}.
   *
   * @throws {CheckpointError} INTERNAL when there are no parts, or parts of several dtypes.
   */
  mergeScans(parts: readonly ScanPart[]): ScanResult;
  /**
   * Where the first NaN or infinity of whole little-endian elements begins, in bytes, at `from` (0 unless told) or after it; -1 when there is
   * none. Nothing is counted or summed: as fast as memory can be read. `from` is at a number's start.
   */
  nextNonFinite(dtype: ScanDType, bytes: Bytes, from?: number): number;
  hasher(algorithm: HashAlgorithm): Hasher;
  /** The digest of each message, in their order. Several messages at a time where that is faster than one after the other: SHA-256. */
  digests(algorithm: HashAlgorithm, messages: readonly Bytes[]): Uint8Array[];
  /**
   * Casts little-endian elements, rounding to nearest even, as torch's `Tensor.to(dtype)` does: out of range becomes
   * infinite, NaN stays NaN. Writes `source elements x target item size` bytes to the start of `target`, which must not
   * overlap `source`; returns how many.
   */
  cast(from: CastDType, to: CastDType, source: Bytes, target: Bytes): number;
}
