import { type ByteSource, type Checkpoint, cacheSource, type FormatReader } from "@ckptkit/core";
import { emptyFile, isOfAnotherFormat, type OpenCheckpointOptions, PROBE_BYTES, readersFor } from "./choose-readers.js";

/**
 * Opens a checkpoint of any known format, by its content. Reads the description only, in four
 * reads at the most: the head, and what the format needs besides. The checkpoint owns the source and closes it; when opening fails, it is closed as well.
 *
 * @throws {CheckpointLoadError} EMPTY_FILE, LFS_POINTER, UNKNOWN_FORMAT, and what the format's reader throws
 * @throws {CheckpointError} CODE_UNAVAILABLE when the reader's own code cannot be loaded
 * @example
 * const checkpoint = await openCheckpoint(blobSource(file));
 * for (const tensor of checkpoint.tensors) console.log(tensor.path, tensor.dtype, tensor.shape);
 */
export async function openCheckpoint(source: ByteSource, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  try {
    if (source.size === 0) throw emptyFile(source);
    const cached = cacheSource(source, { blockBytes: PROBE_BYTES });
    const headBytes = Math.min(PROBE_BYTES, source.size);
    await cached.prefetch(0, headBytes, options);
    const head = await cached.read(0, headBytes, options);
    let refusal: unknown;
    for (const reader of readersFor(head, source, options)) {
      try {
        return await reader.open(sourceFor(reader, source, cached), options);
      } catch (error) {
        if (!isOfAnotherFormat(error)) throw error;
        refusal ??= error;
      }
    }
    throw refusal;
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/** Small files are in the cache already; of larger ones, readers of scattered descriptions read smaller blocks. */
const sourceFor = ({ blockBytes }: FormatReader, source: ByteSource, cached: ByteSource): ByteSource =>
  blockBytes === undefined || source.size <= PROBE_BYTES ? cached : cacheSource(source, { blockBytes });
