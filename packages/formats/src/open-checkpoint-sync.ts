import { type ByteSource, type Checkpoint, CheckpointConfigError, type FormatReader, finishSync, readStep } from "@ckptkit/core";
import { emptyFile, isOfAnotherFormat, type OpenCheckpointOptions, PROBE_BYTES, readersFor } from "./choose-readers.js";
import { flaxReader } from "./flax/reader.js";
import { ggmlReader } from "./ggml/reader.js";
import { ggufReader } from "./gguf/reader.js";
import { hdf5Reader } from "./hdf5/reader.js";
import { kerasReader } from "./keras/reader.js";
import { npyReader } from "./npz/npy-reader.js";
import { npzReader } from "./npz/npz-reader.js";
import { onnxReader } from "./onnx/reader.js";
import { READERS } from "./readers.js";
import { shardedSafetensorsReader } from "./safetensors/sharded.js";
import { tfBundleReader } from "./tf-bundle/reader.js";
import { shardedTorchReader } from "./torch-sharded/reader.js";
import { torchTarReader } from "./torch-tar/reader.js";
import { torchScriptReader } from "./torchscript/reader.js";

/** Who cannot wait has to have the code at hand: the readers of {@link READERS} that come later, and need not be waited for otherwise. */
const AT_HAND: readonly FormatReader[] = [
  ggufReader,
  ggmlReader,
  npyReader,
  npzReader,
  torchScriptReader,
  kerasReader,
  hdf5Reader,
  torchTarReader,
  shardedSafetensorsReader,
  shardedTorchReader,
  flaxReader,
  onnxReader,
  tfBundleReader,
];

const atHand = (reader: FormatReader): FormatReader | undefined =>
  READERS.includes(reader) && !reader.openSync ? AT_HAND.find(({ format }) => format === reader.format) : reader;

/**
 * Opens as `openCheckpoint` does, without waiting, from a source that can be read so: a file of this machine, or memory. The readers of all formats that can be
 * opened so come along with it.
 *
 * @throws {CheckpointLoadError} as `openCheckpoint`
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
        const now = atHand(reader);
        if (now?.openSync) return now.openSync(source, options);
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

const asyncOnly = (format: string): CheckpointConfigError =>
  new CheckpointConfigError("STAGE_ASYNC_ONLY", `Checkpoints of the format ${format} cannot be opened without waiting.`, {
    details: { format },
    suggestions: ["Use openCheckpoint instead."],
  });
