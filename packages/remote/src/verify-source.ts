import { type ByteSource, CheckpointConfigError, type Checksum, type OperationOptions, readInto, verifyChecksum } from "@ckptkit/core";
import type { RemoteHost } from "./remote-options.js";

const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * Reads a source once from end to end and compares its hash; closes it when that fails. Needs the host's kernels.
 *
 * @throws {CheckpointIntegrityError} CHECKSUM_MISMATCH
 */
export async function verifySource(
  source: ByteSource,
  checksum: Checksum,
  host: RemoteHost,
  options: OperationOptions,
): Promise<ByteSource> {
  const { signal, onProgress } = options;
  try {
    const kernels = await host.kernels?.();
    if (!kernels) {
      throw new CheckpointConfigError(
        "INVALID_ARGUMENT",
        `The checksum of ${source.name} cannot be verified: there are no kernels to compute it with.`,
        {
          suggestions: ["Give a platform with kernels: nodePlatform() or browserPlatform()."],
        },
      );
    }
    const hasher = kernels.hasher(checksum.algorithm);
    const buffer = kernels.allocate(Math.max(1, Math.min(CHUNK_BYTES, source.size)));
    try {
      for (let at = 0; at < source.size; ) {
        const target = buffer.bytes.subarray(0, Math.min(CHUNK_BYTES, source.size - at));
        await readInto(source, target, at, { signal });
        hasher.update(target);
        at += target.length;
        onProgress?.({ phase: "verify", done: at, total: source.size });
      }
      verifyChecksum(source.name, checksum, hasher.hexDigest());
    } finally {
      hasher.free();
      buffer.free();
    }
    return source;
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
