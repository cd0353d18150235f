import type { Bytes } from "./byte-source.js";
import { DTYPES } from "./dtype.js";
import { CheckpointError } from "./errors.js";
import type { KernelResult, KernelWork } from "./kernel-job.js";
import type { HashAlgorithm, Kernels, ScanDType, Scanner } from "./kernels.js";
import { hasNonFinite, nextNonFinite } from "./non-finite.js";

/** The work on one piece while it is being done. */
export interface PieceWork {
  /** Adds whole elements, which begin `at` bytes into the piece. */
  update(bytes: Bytes, at: number): void;
  result(): KernelResult;
  free(): void;
}

/** Starts the work on one piece. */
export function startWork(work: KernelWork, kernels: Kernels): PieceWork {
  if (work.kind === "hash") return hashing(work.algorithms, kernels);
  return work.kind === "scan" ? scanning(work.dtype, kernels) : looking(work.dtype, kernels);
}

function hashing(algorithms: readonly HashAlgorithm[], kernels: Kernels): PieceWork {
  const hashers = algorithms.map((algorithm) => kernels.hasher(algorithm));
  return {
    update: (bytes) => {
      for (const hasher of hashers) hasher.update(bytes);
    },
    result: () => ({ kind: "hash", digests: hashers.map((hasher) => hasher.hexDigest()) }),
    free: () => {
      for (const hasher of hashers) hasher.free();
    },
  };
}

function scanning(dtype: ScanDType, kernels: Kernels): PieceWork {
  const scanner = kernels.scanner(dtype);
  let isClean = hasNonFinite(dtype);
  let firstNonFinite: number | undefined;
  return {
    update: (bytes, at) => {
      scanner.update(bytes);
      if (!isClean || isFinitePart(scanner.part())) return;
      // These bytes have the first of them, and are at hand.
      isClean = false;
      const found = kernels.nextNonFinite(dtype, bytes);
      if (found < 0) throw new CheckpointError("INTERNAL", `The ${kernels.name} kernels count NaN or Inf where there are none.`);
      firstNonFinite = at + found;
    },
    result: () => ({ kind: "scan", part: scanner.part(), firstNonFinite }),
    free: () => scanner.free(),
  };
}

/** Finite numbers are passed over; what comes from the first other one on is counted. */
function looking(dtype: ScanDType, kernels: Kernels): PieceWork {
  const elementBytes = DTYPES[dtype].bits / 8;
  const numberBytes = dtype === "C64" ? elementBytes / 2 : elementBytes;
  let scanner: Scanner | undefined;
  let firstNonFinite: number | undefined;
  let byteLength = 0;
  return {
    update: (bytes, at) => {
      byteLength += bytes.length;
      if (scanner) return scanner.update(bytes);
      const found = kernels.nextNonFinite(dtype, bytes);
      if (found < 0) return;
      firstNonFinite = at + found;
      scanner = kernels.scanner(dtype);
      scanner.update(bytes.subarray(found - (found % elementBytes)));
    },
    result: () => {
      const { nan, posInf, negInf } = scanner?.result() ?? { nan: 0, posInf: 0, negInf: 0 };
      return { kind: "finite", count: byteLength / numberBytes, nan, posInf, negInf, firstNonFinite };
    },
    free: () => scanner?.free(),
  };
}

function isFinitePart(part: ReturnType<Scanner["part"]>): boolean {
  if (!("counts" in part)) return part.nan + part.posInf + part.negInf === 0;
  const byte = Uint8Array.of(0);
  return part.counts.every((count, value) => {
    byte[0] = value;
    return count === 0 || nextNonFinite(part.dtype, byte) < 0;
  });
}
