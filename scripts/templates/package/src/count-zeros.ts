import type { ByteSource, OperationOptions } from "@ckptkit/core";

const PIECE_BYTES = 1 << 20;

/**
 * Counts the bytes of a source that are 0, piece by piece, in memory of constant size.
 *
 * @throws {CheckpointSourceError} what the source throws
 * @example console.log(await countZeros(memorySource(bytes, "file")));
 */
export async function countZeros(source: ByteSource, { signal, onProgress }: OperationOptions = {}): Promise<number> {
  let zeros = 0;
  for (let start = 0; start < source.size; start += PIECE_BYTES) {
    const end = Math.min(start + PIECE_BYTES, source.size);
    const bytes = await source.read(start, end, { signal });
    zeros += bytes.reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0);
    onProgress?.({ phase: "zeros", done: end, total: source.size });
  }
  return zeros;
}
