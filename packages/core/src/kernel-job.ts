import type { ByteSource, SourceDescriptor } from "./byte-source.js";
import type { HashAlgorithm, ScanDType, ScanPart } from "./kernels.js";

/** What is to be done with a run of bytes. */
export type KernelWork =
  | { readonly kind: "scan"; readonly dtype: ScanDType }
  /** Looks for NaN and infinities, and at nothing else: faster than a scan. */
  | { readonly kind: "finite"; readonly dtype: ScanDType }
  /** Several hashes are computed in one pass. */
  | { readonly kind: "hash"; readonly algorithms: readonly HashAlgorithm[] };

/** What came out of it. */
export type KernelResult =
  | {
      readonly kind: "scan";
      readonly part: ScanPart;
      /** Bytes from the run's start to its first NaN or infinity; undefined when there is none. */
      readonly firstNonFinite: number | undefined;
    }
  | {
      readonly kind: "finite";
      /** Numbers seen, those that are not finite included. Complex elements count as two. */
      readonly count: number;
      readonly nan: number;
      readonly posInf: number;
      readonly negInf: number;
      /** As for a scan. */
      readonly firstNonFinite: number | undefined;
    }
  /** Lower-case hexadecimal, one for each algorithm. */
  | { readonly kind: "hash"; readonly digests: readonly string[] };

/** A run of whole elements, [start, end) of a source, and what is to be done with it. */
export interface KernelPiece<Source = ByteSource> {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  readonly work: KernelWork;
}

/** A source that a worker opens by itself. */
export interface KernelSource {
  /** Equal for equal sources, and never used for another: a worker opens each once. */
  readonly key: string;
  readonly descriptor: SourceDescriptor;
}

/** Work for another thread, as plain data. Pieces name their sources by index. */
export interface KernelJob {
  readonly sources: readonly KernelSource[];
  readonly pieces: readonly KernelPiece<number>[];
}
