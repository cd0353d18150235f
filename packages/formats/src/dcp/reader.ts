import {
  type ByteSource,
  type Checkpoint,
  CheckpointConfigError,
  checkLimit,
  DTYPES,
  type Finding,
  type FormatReader,
  finish,
  type Limits,
  type OpenOptions,
  Storage,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { canOpenBeside, type FilesBeside, openBeside } from "../open-beside.js";
import { quoted } from "../quoted.js";
import { checkpointOfTree } from "../tree-checkpoint.js";
import { assembledSource } from "./assemble.js";
import { CoverageCheck } from "./coverage.js";
import { type DcpMetadata, type DcpPlace, type DcpTensor, type DcpValue, parseDcpMetadata } from "./metadata.js";
import { nestedTree } from "./nested-tree.js";
import { chunkBytes } from "./records.js";
import { dcpSignature } from "./signature.js";
import { readValues } from "./values.js";

/** Opens distributed checkpoints of torch from their `.metadata`, with the `.distcp` files beside it. */
export const dcpReader: FormatReader = {
  ...dcpSignature,
  open: openDcp,
};

/**
 * Opens a distributed checkpoint (DCP, the folder that `torch.distributed.checkpoint.save` writes) from its `.metadata`. Reads that
 * file and the values that are no tensors. Chunks are put together into global tensors as these are read.
 *
 * @param options.openSibling opens the files that the metadata name. One that is missing is a finding, and an error when its tensors are read.
 * @throws {CheckpointLoadError} PICKLE_*, TORCH_CORRUPT, TENSOR_OUT_OF_BOUNDS, LIMIT_EXCEEDED
 * @throws {CheckpointConfigError} INVALID_ARGUMENT without `openSibling`
 * @see https://pytorch.org/docs/stable/distributed.checkpoint.html
 * @example
 * const checkpoint = await openDcp(await open(".metadata"), { openSibling: (name) => open(name) });
 */
export async function openDcp(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  checkLimit(limits, "pickleBytes", source.size, `Size of ${source.name}`);
  const metadata = parseDcpMetadata(await source.read(0, source.size, options), source.name, limits);
  const findings: Finding[] = [];
  const { files, close: closeFiles } = await openFiles(placesOf(metadata), source.name, limits, findings, options);
  try {
    const values = await readValues(metadata.items.filter(isValue), files, limits, findings, options);
    const coverage = new CoverageCheck(limits);
    const items = metadata.items.flatMap((item): [string, Tree][] => {
      if (!isValue(item)) return [[item.name, tensorOf(item, coverage, files, limits, findings)]];
      const tree = values.get(item.name);
      return tree === undefined ? [] : [[item.name, tree]];
    });
    const tree = nestedTree(items, metadata.paths, findings);
    const checkpoint = checkpointOfTree(tree, { uri: source.name, format: "torch-dcp", limits });
    return {
      ...checkpoint,
      byteLength: [...files.values()].reduce((sum, file) => sum + file.size, source.size),
      findings: [...findings, ...checkpoint.findings],
      close: async () => {
        await Promise.all([source.close?.(), closeFiles()]);
      },
    };
  } catch (error) {
    await closeFiles();
    throw error;
  }
}

const isValue = (item: DcpTensor | DcpValue): item is DcpValue => !("chunks" in item);

function* placesOf({ items }: DcpMetadata): Generator<DcpPlace> {
  for (const item of items) {
    for (const { place } of isValue(item) ? [item] : item.chunks) if (place) yield place;
  }
}

/** Opens all files that are named. Those that are missing, or shorter than they must be, are findings. */
async function openFiles(
  places: Iterable<DcpPlace>,
  name: string,
  limits: Limits,
  findings: Finding[],
  options: OpenOptions,
): Promise<FilesBeside> {
  const ends = new Map<string, number>();
  for (const { file, offset, length } of places) ends.set(file, Math.max(ends.get(file) ?? 0, offset + length));
  if (!canOpenBeside(options) && ends.size > 0) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `${name} names other files, but nothing was given to open them with.`, {
      suggestions: ["Open the checkpoint by the path or address of its folder, or give openSibling."],
    });
  }
  const beside = await finish(openBeside(ends.keys(), name, limits, options));
  for (const file of beside.missing) {
    findings.push({
      rule: "dcp-missing-file",
      severity: "error",
      message: `The file ${quoted(file)} is missing: what it holds cannot be read.`,
      at: file,
    });
  }
  for (const [file, end] of ends) {
    const { size } = beside.files.get(file) ?? {};
    if (size === undefined || size >= end) continue;
    const message = `The file ${quoted(file)} has ${size} bytes, where the metadata place items up to ${end}: it is cut off.`;
    findings.push({ rule: "dcp-truncated-file", severity: "error", message, at: file });
  }
  return beside;
}

/** A global tensor, whose bytes are put together from its chunks. */
function tensorOf(
  item: DcpTensor,
  coverage: CoverageCheck,
  files: ReadonlyMap<string, ByteSource>,
  limits: Limits,
  findings: Finding[],
): Tree {
  const { name, dtype, shape, requiresGrad } = item;
  const { chunks, disjoint } = coverage.of(item, findings);
  const itemBytes = DTYPES[dtype].bits / 8;
  const byteLength = itemBytes * shape.reduce((product, size) => product * size, 1);
  const bytes = assembledSource({
    name,
    shape,
    itemBytes,
    byteLength,
    disjoint,
    chunks: chunks.map((chunk) => ({ chunk, bytes: chunkBytes(item, chunk, files, limits) })),
  });
  return { kind: "tensor", tensor: { dtype, shape, storage: new Storage({ id: name, bytes }), byteOffset: 0, requiresGrad } };
}
