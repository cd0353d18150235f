import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  readStep,
  TensorHandle,
  withLimits,
} from "@ckptkit/core";
import { describeHdf5, placeKeras } from "../keras/meaning.js";
import { readSuperblock } from "./file.js";
import { findSignature, hdf5Signature } from "./signature.js";
import { overlaps, treeOf } from "./tree.js";
import { readObjects } from "./walk.js";

/** Opens HDF5 files: Keras' `.h5`, and arrays of other programs. */
export const hdf5Reader: FormatReader = {
  ...hdf5Signature,
  open: openHdf5,
  openSync: (source, options) => finishSync(readHdf5(source, options)),
};

/** Bytes within which the signature is looked for: other programs' bytes may stand before it. */
const HEAD_BYTES = 64 * 1024;

/**
 * Opens an HDF5 file: every dataset of numbers is a tensor. Reads the structures that say what there is, which lie about in the file, and
 * no values. In files of Keras, weights come in the order of their layers and with the names that Keras gives them, and the models'
 * configuration stands in `metadata`.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, HDF5_UNSUPPORTED, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
 * @example
 * const checkpoint = await openHdf5(blobSource(file));
 * for (const { name, dtype, shape } of checkpoint.tensors) console.log(name, dtype, shape);
 */
export async function openHdf5(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readHdf5(source, options));
}

/** The same as a reading. */
export function* readHdf5(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const start = findSignature(yield* readStep(source, 0, Math.min(HEAD_BYTES, source.size), options));
  if (start === undefined) throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${source.name} is no HDF5 file: it has no signature.`);
  const { file, root: address, declaredBytes } = yield* readSuperblock(source, start, limits, options);
  const findings: Finding[] = [];
  if (declaredBytes > source.size) {
    const message = `The file should have ${declaredBytes} bytes and has ${source.size}: it is cut off.`;
    findings.push({ rule: "hdf5-truncated", severity: "error", message });
  }
  const root = yield* readObjects(file, address, limits, findings);
  const found = treeOf(root);
  const { tree, metadata } = describeHdf5(found, limits, findings);
  findings.push(...overlaps(root, limits));
  const tensors = placeKeras(found).map(({ tensor, keys, name, group }) => new TensorHandle(tensor, { keys, name, group }));
  return {
    uri: source.name,
    format: "hdf5",
    layout: "state_dict",
    byteLength: source.size,
    tensors,
    tree,
    metadata,
    findings,
    close: async () => source.close?.(),
  };
}
