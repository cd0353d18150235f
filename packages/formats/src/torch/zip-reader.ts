import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  withLimits,
} from "@ckptkit/core";
import { isZip } from "../zip/records.js";
import { readAnemoiMetadata } from "./anemoi-records.js";
import { torchCheckpoint } from "./checkpoint.js";
import { isTorchScript, openTorchArchive, readPickles } from "./torch-archive.js";
import { ZipStorages } from "./zip-storages.js";

/** Opens the zip archives of torch.save since 1.6. */
export const torchZipReader: FormatReader = {
  format: "torch-zip",
  matches: isZip,
  open: openTorchZip,
  openSync: (source, options) => finishSync(readTorchZip(source, options)),
};

/**
 * Opens a torch zip archive from its directory and its main pickle: in three reads, or in two where the directory is within
 * 64 KiB of the end.
 *
 * @throws {CheckpointLoadError} ZIP_*, PICKLE_*, TORCH_*, TENSOR_OUT_OF_BOUNDS, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 * @see https://pytorch.org/docs/stable/notes/serialization.html#file-format-of-torch-save
 * @example const checkpoint = await openTorchZip(blobSource(file));
 */
export async function openTorchZip(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readTorchZip(source, options));
}

/** @param scope stands before the keys in the ids of storages, where a checkpoint consists of several archives. */
export function* readTorchZip(source: ByteSource, options: OpenOptions, scope = ""): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const opened = yield* openTorchArchive(source, limits, options);
  const { archive, root, findings } = opened;
  if (isTorchScript(opened)) {
    throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${source.name} is a program of TorchScript, not an archive of torch.save.`, {
      suggestions: ["Open it with openCheckpoint, or with openTorchScript of @ckptkit/formats/torchscript."],
    });
  }
  const { values, bigEndian } = yield* readPickles(opened, ["data.pkl"], limits, options);
  const anemoi = yield* readAnemoiMetadata(opened, limits, options);
  const storages = new ZipStorages(archive, `${root}/data/`, bigEndian, scope);
  const checkpoint = torchCheckpoint({
    source,
    format: "torch-zip",
    value: values[0] ?? null,
    findStorage: storages.find,
    limits,
    findings,
  });
  const mainHasCrc = archive.entries.get(`${root}/data.pkl`)?.crc32 !== 0;
  const metadata = { ...anemoi, ...checkpoint.metadata };
  return { ...checkpoint, metadata, findings: [...findings, ...storages.findings(mainHasCrc)] };
}
