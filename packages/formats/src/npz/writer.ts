import { type Bytes, CheckpointValidationError, type CreateSink, type Kernels, type OutputTensor } from "@ckptkit/core";
import { OutputBytes } from "../output-bytes.js";
import { quoted } from "../quoted.js";
import { checkUniqueNames } from "../tensor-names.js";
import { type WriteOptions, type WriteResult, writeSession } from "../write-session.js";
import { ZipWriter } from "../zip/zip-writer.js";
import { descrOf } from "./npy-header.js";

/** How to write npz. */
export interface NpzWriteOptions extends WriteOptions {
  kernels: Kernels;
}

/** Data begins at multiples of this in a `.npy` file, so that it can be mapped into memory. @see numpy.lib.format ARRAY_ALIGN */
const ALIGNMENT = 64;

/**
 * Writes tensors as a `.npz` archive that `numpy.load` opens without pickles. Members are stored, zip64 where they have to be, and their
 * data is aligned to 64 bytes. Streams. numpy has no ties: tied tensors are written each.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE for dtypes that numpy does not have, as BF16; NAME_CONFLICT
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when a tensor gives more or fewer bytes than it declares
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @example
 * await writeNpz(tensors, (name) => fileSink(name), { fileName: "weights.npz", kernels, buffer: new Uint8Array(1 << 20) });
 */
export async function writeNpz(tensors: readonly OutputTensor[], create: CreateSink, options: NpzWriteOptions): Promise<WriteResult> {
  checkUniqueNames(tensors);
  checkRepresentable(tensors);
  const bytes = new OutputBytes(tensors, options);
  const files = await writeSession(create, options, async (open) => {
    const zip = new ZipWriter(await open(options.fileName), options.kernels);
    for (const tensor of tensors) await zip.add(`${tensor.name}.npy`, withHeader(tensor, bytes));
    await zip.finish();
  });
  return { files, ties: new Map() };
}

function checkRepresentable(tensors: readonly OutputTensor[]): void {
  const wrong = tensors.filter(({ dtype }) => descrOf(dtype) === undefined);
  if (wrong.length > 0) {
    const listed = wrong.slice(0, 5).map(({ name, dtype }) => `${quoted(name)} (${dtype})`);
    throw new CheckpointValidationError(
      "UNSUPPORTED_DTYPE",
      `numpy has no dtype for ${wrong.length} of the tensors: ${listed.join(", ")}${wrong.length > 5 ? " ..." : ""}.`,
      {
        details: { tensors: wrong.slice(0, 100).map(({ name, dtype }) => ({ name, dtype })) },
        suggestions: ["Cast floating-point tensors with --dtype F32.", "Leave these tensors out with --filter."],
      },
    );
  }
  for (const { name } of tensors) {
    if (name.isWellFormed()) continue;
    throw new CheckpointValidationError("NAME_CONFLICT", `A zip archive cannot hold a member named ${quoted(name)}.`, {
      details: { name },
      suggestions: ["Leave the tensor out with --filter."],
    });
  }
}

async function* withHeader(tensor: OutputTensor, bytes: OutputBytes): AsyncGenerator<Bytes, void, void> {
  yield npyHeader(tensor);
  yield* bytes.of(tensor);
}

/** Magic, version 1 (2 for more than 64 KiB), and the dictionary, padded with spaces and ended by a line feed. */
function npyHeader({ dtype, shape }: OutputTensor): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descrOf(dtype)}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const version = text.length + ALIGNMENT < 65536 ? 1 : 2;
  const start = version === 1 ? 10 : 12;
  const total = Math.ceil((start + text.length + 1) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(total).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, total - start, true);
  else view.setUint32(8, total - start, true);
  bytes.set(new TextEncoder().encode(text), start);
  bytes[total - 1] = 0x0a;
  return bytes;
}
