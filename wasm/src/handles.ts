import {
  type Bytes,
  CheckpointConfigError,
  HASH_ALGORITHMS,
  type HashAlgorithm,
  type Hasher,
  hexText,
  type Kernels,
  type ScanDType,
  type Scanner,
  type ScanPart,
} from "@ckptkit/core";
import { checkScanDType, checkWholeElements, usedAfterFree } from "./checks.js";
import { mergeScans } from "./merge-scans.js";

/** What an implementation brings to a scanner or hasher; `release` is called once. */
interface Work<Result> {
  update(bytes: Bytes): void;
  finish(): Result;
  release(): void;
}

/** Gives the work on each call, until it is freed. */
function guard<Result>(what: string, work: Work<Result>): { use(): Work<Result>; free(): void } {
  let current: Work<Result> | undefined = work;
  return {
    use: () => {
      if (current) return current;
      throw usedAfterFree(what);
    },
    free: () => {
      current?.release();
      current = undefined;
    },
  };
}

/** Makes a scanner out of an implementation's work: checks arguments and use after free. */
export function scannerOf(dtype: ScanDType, start: () => Work<ScanPart>): Scanner {
  checkScanDType(dtype);
  const { use, free } = guard("scanner", start());
  return {
    update: (bytes) => {
      const work = use();
      checkWholeElements(dtype, bytes);
      work.update(bytes);
    },
    result: () => mergeScans([use().finish()]),
    part: () => use().finish(),
    free,
  };
}

/** Makes a hasher out of an implementation's work: checks arguments and use after free. */
export function hasherOf(algorithm: HashAlgorithm, start: () => Work<Uint8Array>): Hasher {
  if (!HASH_ALGORITHMS.includes(algorithm)) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `There is no hash ${algorithm} here; there are: ${HASH_ALGORITHMS.join(", ")}.`, {
      details: { algorithm },
    });
  }
  const { use, free } = guard("hasher", start());
  return {
    update: (bytes) => use().update(bytes),
    digest: () => use().finish(),
    hexDigest: () => hexText(use().finish()),
    free,
  };
}

/** The digest of each message, one after the other. */
export function digestsOf(kernels: Pick<Kernels, "hasher">, algorithm: HashAlgorithm, messages: readonly Bytes[]): Uint8Array[] {
  return messages.map((message) => {
    const hasher = kernels.hasher(algorithm);
    hasher.update(message);
    const digest = hasher.digest();
    hasher.free();
    return digest;
  });
}
