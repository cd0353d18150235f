import { type ByteSource, type Hasher, type Kernels, type MemorySink, memorySink, type OutputTensor } from "@ckptkit/core";
import { jsKernels } from "@ckptkit/wasm/js";
import { type Piece, sparseSource } from "./sparse-source.js";

/** Zeros that are never copied, hashed or kept: gigabytes of them cost nothing. */
export const ZEROS = new Uint8Array(1 << 26);

/** A tensor of zeros that is written in no time. Its length is a multiple of 4. */
export function zeroTensor(name: string, byteLength: number): OutputTensor {
  return {
    name,
    dtype: "F32",
    shape: [byteLength / 4],
    byteLength,
    tieKey: name,
    async *chunks() {
      for (let left = byteLength; left > 0; left -= ZEROS.length) yield left >= ZEROS.length ? ZEROS : ZEROS.subarray(0, left);
    },
  };
}

const isZeros = (bytes: Uint8Array): boolean => bytes.buffer === ZEROS.buffer;

/** A sink that keeps everything but {@link ZEROS}. */
export function sparseSink(): { sink: MemorySink; pieces: Piece[]; source(): ByteSource } {
  const inner = memorySink();
  const pieces: Piece[] = [];
  let position = 0;
  const sink: MemorySink = {
    name: "sparse",
    bytes: undefined,
    get position() {
      return position;
    },
    async write(bytes) {
      if (!isZeros(bytes)) pieces.push({ at: position, bytes: bytes.slice() });
      position += bytes.length;
    },
    commit: () => inner.commit(),
    abort: () => inner.abort(),
  };
  return { sink, pieces, source: () => sparseSource(position, pieces, "big.pt") };
}

/** Kernels whose CRC-32 passes over {@link ZEROS}. */
export function sparseKernels(): Kernels {
  const kernels = jsKernels();
  return {
    name: kernels.name,
    allocate: (byteLength) => kernels.allocate(byteLength),
    scanner: (dtype) => kernels.scanner(dtype),
    mergeScans: (parts) => kernels.mergeScans(parts),
    nextNonFinite: (dtype, bytes, from) => kernels.nextNonFinite(dtype, bytes, from),
    digests: (algorithm, messages) => kernels.digests(algorithm, messages),
    cast: (from, to, source, target) => kernels.cast(from, to, source, target),
    hasher(algorithm): Hasher {
      const hasher = kernels.hasher(algorithm);
      return {
        update: (bytes) => (isZeros(bytes) ? undefined : hasher.update(bytes)),
        digest: () => hasher.digest(),
        hexDigest: () => hasher.hexDigest(),
        free: () => hasher.free(),
      };
    },
  };
}
