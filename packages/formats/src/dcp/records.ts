import {
  type ByteSource,
  type Bytes,
  CheckpointLoadError,
  DTYPES,
  type Finding,
  finish,
  isNode,
  type Limits,
  memorySource,
  type OpenOptions,
  type Reading,
  type SignalOptions,
  sliceSource,
  TensorHandle,
  type Tree,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { openTorchArchive, readPickles } from "../torch/torch-archive.js";
import { TreeBuilder } from "../torch/tree-builder.js";
import { ZipStorages } from "../torch/zip-storages.js";
import type { ChunkBytes } from "./assemble.js";
import type { DcpChunk, DcpPlace, DcpTensor } from "./metadata.js";

/** An item of this size is read whole rather than in parts. */
const WHOLE_BYTES = 64 * 1024;

/**
 * What was saved at a place of a file: an archive of torch.save.
 *
 * @param findings gets what is odd about it.
 */
export function* readItem(
  parts: { source: ByteSource; scope: string; limits: Limits; findings: Finding[] },
  options: OpenOptions,
): Reading<Tree> {
  const { source, scope, limits, findings } = parts;
  const opened = yield* openTorchArchive(source, limits, options);
  const { values, bigEndian } = yield* readPickles(opened, ["data.pkl"], limits, options);
  const storages = new ZipStorages(opened.archive, `${opened.root}/data/`, bigEndian, scope);
  const builder = new TreeBuilder(storages.find, limits);
  const tree = builder.build(values[0] ?? null);
  findings.push(...opened.findings, ...builder.findings);
  return tree;
}

/** The part of a file that an item is in. @throws {CheckpointLoadError} TORCH_CORRUPT, UNSUPPORTED_FORMAT, TORCH_STORAGE_MISSING */
export function itemSource(name: string, place: DcpPlace | undefined, files: ReadonlyMap<string, ByteSource>): ByteSource {
  const file = place && files.get(place.file);
  if (!place || !file) {
    const why = place ? `in ${place.file}, which is missing` : "in no place that the metadata name";
    throw new CheckpointLoadError("TORCH_STORAGE_MISSING", `A part of ${quoted(name)} is ${why}.`, {
      details: { item: name, file: place?.file },
      suggestions: ["Put all .distcp files beside .metadata; the download may be incomplete."],
    });
  }
  if (place.transforms.length > 0) {
    throw new CheckpointLoadError(
      "UNSUPPORTED_FORMAT",
      `${quoted(name)} was written through ${place.transforms.join(", ")}, which is not undone here.`,
      {
        details: { item: name, transforms: place.transforms },
        suggestions: ["Save the checkpoint without extensions of its writer."],
      },
    );
  }
  const { offset, length } = place;
  if (offset + length > file.size) {
    throw new CheckpointLoadError(
      "TORCH_CORRUPT",
      `${quoted(name)} should end at ${offset + length} of ${file.name}, which has ${file.size} bytes.`,
      {
        details: { item: name, expected: offset + length, found: file.size },
        suggestions: ["Fetch the file again, or compare its size with the original's."],
      },
    );
  }
  return sliceSource(file, offset, offset + length, `${file.name}@${offset}`);
}

/** The bytes of a chunk. Its archive is opened when they are first read. */
export function chunkBytes(tensor: DcpTensor, chunk: DcpChunk, files: ReadonlyMap<string, ByteSource>, limits: Limits): ChunkBytes {
  let opened: TensorHandle | undefined;
  const open = async (options?: SignalOptions): Promise<TensorHandle> => {
    opened ??= await openChunk(tensor, chunk, files, limits, options);
    return opened;
  };
  const itemBytes = DTYPES[tensor.dtype].bits / 8;
  return {
    async readInto(target, start, options) {
      const handle = await open(options);
      // Tensors are read by whole elements; a caller may want a part of one.
      const first = start - (start % itemBytes);
      const end = Math.ceil((start + target.length) / itemBytes) * itemBytes;
      if (first === start && end === start + target.length) return handle.readInto(target, start, options);
      const whole: Bytes = new Uint8Array(end - first);
      await handle.readInto(whole, first, options);
      target.set(whole.subarray(start - first, start - first + target.length));
    },
    async locate(options) {
      const { storage, spec, contiguous } = await open(options);
      if (!storage || !contiguous || storage.bigEndian || spec.conj || spec.neg) return undefined;
      const place = await storage.locate(options);
      return place && { source: place.source, start: place.start + spec.byteOffset };
    },
  };
}

/** @throws {CheckpointLoadError} TORCH_CORRUPT when what is there is not the chunk that the metadata describe */
async function openChunk(
  tensor: DcpTensor,
  { sizes, place }: DcpChunk,
  files: ReadonlyMap<string, ByteSource>,
  limits: Limits,
  options?: SignalOptions,
): Promise<TensorHandle> {
  const { name, dtype } = tensor;
  const part = itemSource(name, place, files);
  const source = part.size <= WHOLE_BYTES ? memorySource(await part.read(0, part.size, options), part.name) : part;
  const tree = await finish(readItem({ source, scope: "", limits, findings: [] }, options ?? {}));
  const found = isNode(tree) && tree.kind === "tensor" ? tree.tensor : undefined;
  const isAsSaid = found?.dtype === dtype && found.shape.length === sizes.length && sizes.every((size, axis) => found.shape[axis] === size);
  if (found && isAsSaid) return new TensorHandle(found, { keys: [name], name, group: "other" });
  const what = found ? `${found.dtype} of shape [${found.shape.join(", ")}]` : "no tensor";
  throw new CheckpointLoadError(
    "TORCH_CORRUPT",
    `A chunk of ${quoted(name)} in ${part.name} is ${what}, not ${dtype} of shape [${sizes.join(", ")}].`,
    {
      details: { item: name, place: part.name },
      suggestions: ["A file may be of another save: fetch .metadata and all .distcp files again, together."],
    },
  );
}
