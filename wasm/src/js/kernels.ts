import { type HashAlgorithm, type Hasher, type KernelBuffer, type Kernels, nextNonFinite } from "@ckptkit/core";
import { checkByteLength, checkCast, checkMemoryBytes, checkSearch, memoryUsedUp } from "../checks.js";
import { digestsOf, hasherOf, scannerOf } from "../handles.js";
import { mergeScans } from "../merge-scans.js";
import { blake3Hash } from "./blake3.js";
import { castBytes } from "./cast.js";
import { crc32Hash } from "./crc32.js";
import { crc32cHash } from "./crc32c.js";
import type { IncrementalHash } from "./incremental-hash.js";
import { md5Hash } from "./md5.js";
import { scan } from "./scan.js";
import { sha256Hash } from "./sha256.js";
import { xxh3Hash, xxh3Hash128 } from "./xxh3.js";

const HASHES: Readonly<Record<HashAlgorithm, () => IncrementalHash>> = {
  sha256: sha256Hash,
  xxh3: xxh3Hash,
  "xxh3-128": xxh3Hash128,
  blake3: blake3Hash,
  crc32: crc32Hash,
  crc32c: crc32cHash,
  md5: md5Hash,
};

const nothing = (): void => {};

/**
 * The kernels in plain JavaScript: the reference, and what runs where WebAssembly may not. Slower, the same answers.
 *
 * @param options.memoryBytes how many bytes all buffers together may have; 24 MiB by default
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when memoryBytes is out of range
 * @example
 * const hasher = jsKernels().hasher("sha256");
 * hasher.update(new TextEncoder().encode("abc"));
 * hasher.hexDigest(); // "ba7816bf..."
 */
export function jsKernels(options: { memoryBytes?: number } = {}): Kernels {
  const memoryBytes = checkMemoryBytes(options.memoryBytes);
  let free = memoryBytes;
  return {
    name: "js",
    allocate: (byteLength) => {
      checkByteLength(byteLength);
      if (byteLength > free) throw memoryUsedUp(byteLength, memoryBytes);
      free -= byteLength;
      return buffer(byteLength, () => {
        free += byteLength;
      });
    },
    scanner: (dtype) =>
      scannerOf(dtype, () => {
        const work = scan(dtype);
        return { update: (bytes) => work.update(bytes), finish: () => work.part(), release: nothing };
      }),
    mergeScans,
    nextNonFinite: (dtype, bytes, from = 0) => {
      checkSearch(dtype, bytes, from);
      return nextNonFinite(dtype, bytes, from);
    },
    hasher,
    digests: (algorithm, messages) => digestsOf({ hasher }, algorithm, messages),
    cast: (from, to, source, target) => {
      const byteLength = checkCast(from, to, source, target);
      castBytes(from, to, source, target);
      return byteLength;
    },
  };
}

function hasher(algorithm: HashAlgorithm): Hasher {
  return hasherOf(algorithm, () => {
    const work = HASHES[algorithm]();
    return { update: (bytes) => work.update(bytes), finish: () => work.digest(), release: nothing };
  });
}

function buffer(byteLength: number, release: () => void): KernelBuffer {
  let freed = false;
  return {
    bytes: new Uint8Array(byteLength),
    free: () => {
      if (!freed) release();
      freed = true;
    },
  };
}
