import { type ByteSource, type Checkpoint, type HashAlgorithm, type Kernels, type OperationOptions, readInto } from "@ckptkit/core";
import { ZipCrcFollower } from "@ckptkit/formats";
import { eachTensor, PIECE_BYTES } from "./each-tensor.js";
import { watchIntegrity } from "./integrity.js";
import type { SelectTensor } from "./select.js";

/** What to hash with. */
export interface HashOptions extends OperationOptions {
  kernels: Kernels;
  algorithm: HashAlgorithm;
  /** Checks the CRC-32 that the container recorded, as the bytes go by. Default true. */
  checkCrc?: boolean | undefined;
}

/** Also what of it to hash. */
export interface TensorHashOptions extends HashOptions {
  /** All tensors that have bytes when left out. */
  select?: SelectTensor | undefined;
}

/**
 * The digest of every tensor's contiguous, row-major, little-endian bytes: equal for equal tensors, however and in whatever
 * format they are stored.
 *
 * @throws {CheckpointIntegrityError} CRC_MISMATCH
 * @example const { tensors } = await hashTensors(checkpoint, { kernels, algorithm: "sha256" });
 */
export async function hashTensors(
  checkpoint: Checkpoint,
  options: TensorHashOptions,
): Promise<{ algorithm: HashAlgorithm; tensors: { path: string; digest: string }[] }> {
  const { kernels, algorithm, select } = options;
  const tensors = checkpoint.tensors.filter((tensor) => tensor.storage && (!select || select(tensor)));
  const integrity = options.checkCrc === false ? undefined : watchIntegrity(checkpoint, tensors, kernels);
  try {
    const digests = await eachTensor(
      "hash",
      tensors,
      kernels,
      () => {
        const hasher = kernels.hasher(algorithm);
        return { update: (bytes) => hasher.update(bytes), result: () => hasher.hexDigest(), free: () => hasher.free() };
      },
      options,
    );
    await integrity?.finish(options);
    return { algorithm, tensors: tensors.map(({ path }, index) => ({ path, digest: digests[index] ?? "" })) };
  } finally {
    integrity?.cancel();
  }
}

/**
 * The digest of all bytes of a source, as `sha256sum` and its kind give it. Where the source is a zip archive, the CRC-32 of
 * its members is checked in the same pass.
 *
 * @throws {CheckpointIntegrityError} CRC_MISMATCH
 * @example const { digest } = await hashSource(await fileSource("model.ckpt"), { kernels, algorithm: "blake3" });
 */
export async function hashSource(
  source: ByteSource,
  options: HashOptions,
): Promise<{ algorithm: HashAlgorithm; byteLength: number; digest: string }> {
  const { kernels, algorithm } = options;
  const follower = options.checkCrc === false ? undefined : await ZipCrcFollower.follow(source, kernels, options);
  const hasher = kernels.hasher(algorithm);
  const buffer = kernels.allocate(PIECE_BYTES);
  try {
    for (let start = 0; start < source.size; start += PIECE_BYTES) {
      options.signal?.throwIfAborted();
      const piece = buffer.bytes.subarray(0, Math.min(PIECE_BYTES, source.size - start));
      await readInto(source, piece, start, options);
      hasher.update(piece);
      follower?.update(piece);
      options.onProgress?.({ phase: "hash", done: start + piece.length, total: source.size });
    }
    await follower?.finish(options);
    return { algorithm, byteLength: source.size, digest: hasher.hexDigest() };
  } finally {
    follower?.cancel();
    buffer.free();
    hasher.free();
  }
}
