import {
  type ByteSource,
  type Bytes,
  type Checkpoint,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  withLimits,
} from "@ckptkit/core";
import { torchCheckpoint } from "./checkpoint.js";
import { LEGACY_MAGIC, readStack } from "./legacy-stack.js";
import { LegacyStorages } from "./legacy-storages.js";

/** The magic number as a pickle of protocol 2 or later holds it: LONG1, the length 10, and its bytes. */
const BINARY_MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/** And as a pickle of protocols 0 and 1 does. */
const TEXT_MAGIC = `L${LEGACY_MAGIC}L`;
/** Before it stand PROTO and FRAME at the most. */
const MAGIC_WITHIN_BYTES = 64;

/** Opens the stacked pickles of torch.save before 1.6. */
export const torchLegacyReader: FormatReader = {
  format: "torch-legacy",
  matches: ({ head }) => {
    const begin = head.slice(0, MAGIC_WITHIN_BYTES);
    return holds(begin, BINARY_MAGIC) || String.fromCharCode(...begin).includes(TEXT_MAGIC);
  },
  open: openTorchLegacy,
  openSync: (source, options) => finishSync(readTorchLegacy(source, options)),
};

function holds(bytes: Bytes, wanted: readonly number[]): boolean {
  for (let at = 0; at + wanted.length <= bytes.length; at++) if (wanted.every((byte, index) => bytes[at + index] === byte)) return true;
  return false;
}

/**
 * Opens a legacy file: magic number, protocol, system info, the object and the list of storage keys, all pickled, and after
 * them the storages. Reads the pickles and nothing else.
 *
 * @throws {CheckpointLoadError} PICKLE_*, TORCH_*, TENSOR_OUT_OF_BOUNDS, LIMIT_EXCEEDED
 * @see https://github.com/pytorch/pytorch torch/serialization.py, _legacy_save and _legacy_load
 * @example const checkpoint = await openTorchLegacy(blobSource(file));
 */
export async function openTorchLegacy(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readTorchLegacy(source, options));
}

/** @param scope stands before the keys in the ids of storages, where a checkpoint consists of several files. */
export function* readTorchLegacy(source: ByteSource, options: OpenOptions, scope = ""): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const { main, keys, dataStart, findings } = yield* readStack(source, limits, options);
  const storages = new LegacyStorages(source, scope);
  const checkpoint = torchCheckpoint({ source, format: "torch-legacy", value: main.value, findStorage: storages.find, limits, findings });
  return { ...checkpoint, findings: [...findings, ...storages.place(keys, dataStart)] };
}
