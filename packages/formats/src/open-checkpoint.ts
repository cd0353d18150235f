import {
  type ByteSource,
  type Bytes,
  type Checkpoint,
  CheckpointConfigError,
  CheckpointError,
  CheckpointLoadError,
  cacheSource,
  type FormatReader,
  finishSync,
  type OpenOptions,
  type Probe,
  readStep,
} from "@ckptkit/core";
import { dcpReader } from "./dcp/reader.js";
import { flaxReader } from "./flax/reader.js";
import { ggmlReader } from "./ggml/reader.js";
import { ggufReader } from "./gguf/reader.js";
import { hdf5Reader } from "./hdf5/reader.js";
import { kerasReader } from "./keras/reader.js";
import { marReader } from "./mar/reader.js";
import { nemoReader } from "./nemo/reader.js";
import { npyReader } from "./npz/npy-reader.js";
import { npzReader } from "./npz/npz-reader.js";
import { onnxReader } from "./onnx/reader.js";
import { ocdbtReader } from "./orbax/ocdbt-reader.js";
import { orbaxReader } from "./orbax/reader.js";
import { pt2Reader } from "./pt2/reader.js";
import { safetensorsReader } from "./safetensors/reader.js";
import { shardedSafetensorsReader } from "./safetensors/sharded.js";
import { tfBundleReader } from "./tf-bundle/reader.js";
import { torchLegacyReader } from "./torch/legacy-reader.js";
import { torchZipReader } from "./torch/zip-reader.js";
import { shardedTorchReader } from "./torch-sharded/reader.js";
import { torchTarReader } from "./torch-tar/reader.js";
import { torchScriptReader } from "./torchscript/reader.js";
import { unknownFormat } from "./unknown-format.js";
import { zarrReader } from "./zarr/reader.js";

/** Every reader of this package, in the order in which they are asked. */
export const READERS: readonly FormatReader[] = [
  ggufReader,
  ggmlReader,
  npyReader,
  npzReader,
  torchZipReader,
  torchScriptReader,
  pt2Reader,
  marReader,
  kerasReader,
  hdf5Reader,
  torchLegacyReader,
  torchTarReader,
  nemoReader,
  dcpReader,
  shardedSafetensorsReader,
  shardedTorchReader,
  safetensorsReader,
  zarrReader,
  orbaxReader,
  ocdbtReader,
  flaxReader,
  onnxReader,
  tfBundleReader,
];

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
    let refusal: unknown;
    for (const reader of readersFor(head, source, options)) {
      try {
        if (reader.openSync) return reader.openSync(source, options);
        refusal ??= asyncOnly(reader.format);
      } catch (error) {
        if (!isOfAnotherFormat(error)) throw error;
        refusal ??= error;
      }
    }
    throw refusal;
  } catch (error) {
    source.close?.().catch(() => undefined);
    throw error;
  }
}

/** The readers that know the file by its beginning. @throws {CheckpointLoadError} UNKNOWN_FORMAT, LFS_POINTER */
function readersFor(head: Bytes, { size, name }: ByteSource, { readers = READERS }: OpenCheckpointOptions): readonly FormatReader[] {
  const probe: Probe = { head, size, name };
  const matching = readers.filter((candidate) => candidate.matches(probe));
  if (matching.length === 0) throw unknownFormat(probe, readers);
  return matching;
}

/** Several formats begin alike (zip archives, tar archives): a reader that finds another one than its own lets the next one try. */
const isOfAnotherFormat = (error: unknown): boolean => error instanceof CheckpointError && error.code === "UNSUPPORTED_FORMAT";

const asyncOnly = (format: string): CheckpointConfigError =>
  new CheckpointConfigError("STAGE_ASYNC_ONLY", `Checkpoints of the format ${format} cannot be opened without waiting.`, {
    details: { format },
    suggestions: ["Use openCheckpoint instead."],
  });

const emptyFile = ({ name }: ByteSource): CheckpointLoadError =>
  new CheckpointLoadError("EMPTY_FILE", `${name} is empty: it has no bytes.`, { suggestions: ["Fetch the file again."] });
