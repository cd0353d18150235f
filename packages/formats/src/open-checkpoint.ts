import {
  type ByteSource,
  type Bytes,
  type Checkpoint,
  CheckpointConfigError,
  CheckpointLoadError,
  cacheSource,
  type FormatReader,
  finishSync,
  type OpenOptions,
  type Probe,
  readStep,
} from "@ckptkit/core";
import { safetensorsReader } from "./safetensors/reader.js";
import { shardedSafetensorsReader } from "./safetensors/sharded.js";
import { torchLegacyReader } from "./torch/legacy-reader.js";
import { torchZipReader } from "./torch/zip-reader.js";
import { unknownFormat } from "./unknown-format.js";

/** Every reader of this package, in the order in which they are asked. */
export const READERS: readonly FormatReader[] = [torchZipReader, torchLegacyReader, shardedSafetensorsReader, safetensorsReader];

/** Bytes read from the file's head to tell what it is. Many descriptions are within them. */
const PROBE_BYTES = 64 * 1024;

/** How to open: which formats to consider, besides what every reader takes. */
export interface OpenCheckpointOptions extends OpenOptions {
  /** Readers to choose from; all of this package when left out. */
  readers?: readonly FormatReader[];
}

/**
 * Opens a checkpoint of any known format, by its content. Reads the description only, in four
 * reads at the most: the head, and what the format needs besides. The checkpoint owns the source and closes it; when opening fails, it is closed as well.
 *
 * @throws {CheckpointLoadError} EMPTY_FILE, LFS_POINTER, UNKNOWN_FORMAT, and what the format's reader throws
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
    return await readerFor(head, source, options).open(cached, options);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

/**
 * The same without waiting, from a source that can be read so: a file of this machine, or memory.
 *
 * @throws {CheckpointLoadError} as {@link openCheckpoint}
 * @throws {CheckpointConfigError} STAGE_ASYNC_ONLY where source or format need to be waited for, as an archive whose pickle is compressed
 * @example const checkpoint = openCheckpointSync(memorySource(bytes, "model.safetensors"));
 */
export function openCheckpointSync(source: ByteSource, options: OpenCheckpointOptions = {}): Checkpoint {
  try {
    if (source.size === 0) throw emptyFile(source);
    const head = finishSync(readStep(source, 0, Math.min(PROBE_BYTES, source.size), options));
    const reader = readerFor(head, source, options);
    if (reader.openSync) return reader.openSync(source, options);
    throw new CheckpointConfigError("STAGE_ASYNC_ONLY", `Checkpoints of the format ${reader.format} cannot be opened without waiting.`, {
      details: { format: reader.format },
      suggestions: ["Use openCheckpoint instead."],
    });
  } catch (error) {
    source.close?.().catch(() => undefined);
    throw error;
  }
}

/** The first reader that knows the file. @throws {CheckpointLoadError} UNKNOWN_FORMAT, LFS_POINTER */
function readerFor(head: Bytes, { size, name }: ByteSource, { readers = READERS }: OpenCheckpointOptions): FormatReader {
  const probe: Probe = { head, size, name };
  const reader = readers.find((candidate) => candidate.matches(probe));
  if (!reader) throw unknownFormat(probe, readers);
  return reader;
}

const emptyFile = ({ name }: ByteSource): CheckpointLoadError =>
  new CheckpointLoadError("EMPTY_FILE", `${name} is empty: it has no bytes.`, { suggestions: ["Fetch the file again."] });
