import { open } from "node:fs/promises";
import type { HashAlgorithm, Hasher, Kernels, SignalOptions } from "@ckptkit/core";
import { nativeHasher } from "../native-hashes.js";

const CHUNK_BYTES = 4 * 1024 * 1024;

/** What computes a hash piece by piece. */
export type PieceHasher = Pick<Hasher, "update" | "hexDigest" | "free">;

/** OpenSSL's hashes where it has them, without loading kernels; the kernels' otherwise. */
export async function pieceHasher(algorithm: HashAlgorithm, kernels: () => Promise<Kernels>): Promise<PieceHasher> {
  return nativeHasher(algorithm) ?? (await kernels()).hasher(algorithm);
}

/** Hashes a file from its start to its end. */
export async function hashFile(path: string, hasher: PieceHasher, { signal }: SignalOptions): Promise<string> {
  const handle = await open(path, "r");
  try {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return hasher.hexDigest();
      hasher.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
    hasher.free();
  }
}
