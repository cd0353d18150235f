import {
  type ByteSource,
  type Checkpoint,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  readStep,
  withLimits,
} from "@ckptkit/core";
import { npyArray } from "./array.js";
import { NPY_PREFIX_BYTES, npyDataStart, readNpyHeader } from "./npy-header.js";
import { npySignature } from "./signature.js";

/** Opens single numpy arrays. */
export const npyReader: FormatReader = {
  ...npySignature,
  open: openNpy,
  openSync: (source, options) => finishSync(readNpy(source, options)),
};

/**
 * Opens a `.npy` file from its header: a checkpoint of one tensor whose path is empty.
 *
 * @throws {CheckpointLoadError} NPY_CORRUPT, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED, TENSOR_OUT_OF_BOUNDS
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @example const { tensors } = await openNpy(blobSource(file));
 */
export async function openNpy(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readNpy(source, options));
}

function* readNpy(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const prefix = yield* readStep(source, 0, Math.min(NPY_PREFIX_BYTES, source.size), options);
  const dataStart = npyDataStart(prefix, source.size, source.name, limits);
  const header = readNpyHeader(yield* readStep(source, 0, dataStart, options), source.name);
  const findings: Finding[] = [];
  const { tensor, tree } = npyArray(header, source, [], { fileOffset: dataStart }, findings);
  return {
    uri: source.name,
    format: "npy",
    layout: "state_dict",
    byteLength: source.size,
    tensors: tensor ? [tensor] : [],
    tree,
    metadata: { descr: header.descr, fortran_order: header.fortranOrder },
    findings,
    close: async () => source.close?.(),
  };
}
