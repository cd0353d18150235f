import type { CreateSink, Finding, Kernels, Tree } from "@ckptkit/core";
import { writePickle } from "@ckptkit/pickle";
import { OutputBytes } from "../output-bytes.js";
import { type WriteOptions, type WriteResult, writeSession } from "../write-session.js";
import { ZipWriter } from "../zip/zip-writer.js";
import type { ResolveTensor } from "./tensor-to-pickle.js";
import { PickleBuilder, torchValueError } from "./to-pickle.js";

/** How to write a torch archive. */
export interface TorchWriteOptions extends WriteOptions {
  kernels: Kernels;
  /** Further records of the archive, by their path under its root folder: `anemoi-metadata/anemoi.json`, say. torch looks at none. */
  records?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** What a torch writer wrote, and what of the tree it had to leave out. */
export interface TorchWriteResult extends WriteResult {
  findings: Finding[];
  tensorCount: number;
}

/**
 * Writes a tree with its tensors as a torch zip archive that `torch.load(weights_only=True)` opens. Streams: memory does
 * not grow with the tensors. Tied tensors share one storage, as they do in torch's own files.
 *
 * @param resolve gives the bytes of each tensor in the tree.
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE when the root itself cannot be represented
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when a tensor gives more or fewer bytes than it declares, or a record stands twice
 * @see https://pytorch.org/docs/stable/notes/serialization.html
 */
export async function writeTorch(
  tree: Tree,
  resolve: ResolveTensor,
  create: CreateSink,
  options: TorchWriteOptions,
): Promise<TorchWriteResult> {
  const builder = new PickleBuilder(resolve);
  const value = builder.build(tree);
  if (value === undefined) throw torchValueError();
  const { storages } = builder;
  const root = archiveRoot(options.fileName);
  const bytes = new OutputBytes(storages, options);
  const files = await writeSession(create, options, async (open) => {
    const sink = await open(options.fileName);
    const zip = new ZipWriter(sink, options.kernels);
    const text = (content: string): Uint8Array[] => [new TextEncoder().encode(content)];
    await zip.add(`${root}/data.pkl`, [writePickle(value)]);
    await zip.add(`${root}/.format_version`, text("1"));
    await zip.add(`${root}/.storage_alignment`, text("64"));
    await zip.add(`${root}/byteorder`, text("little"));
    for (const [key, tensor] of storages.entries()) await zip.add(`${root}/data/${key}`, bytes.of(tensor));
    await zip.add(`${root}/version`, text("3\n"));
    for (const [name, bytes] of options.records ?? []) await zip.add(`${root}/${name}`, [bytes]);
    await zip.finish();
  });
  return { files, ties: new Map(), findings: builder.findings, tensorCount: storages.length };
}

/** The folder of all records of an archive: the file's stem, as torch names it. */
export function archiveRoot(fileName: string): string {
  const stem = (fileName.split(/[\\/]/).at(-1) ?? "").replace(/\.[^.]*$/, "");
  return /^\.*$/.test(stem) ? "archive" : stem;
}
