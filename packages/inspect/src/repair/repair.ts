import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  type CreateSink,
  countElements,
  type Finding,
  type Kernels,
  type Limits,
  type OperationOptions,
  type TensorGroup,
  type TensorHandle,
  type TensorSpec,
} from "@ckptkit/core";
import { type Loss, SAFETENSORS_DTYPES, type Salvaged, salvageCheckpoint, writeSafetensors, writeTorch } from "@ckptkit/formats";
import { watchIntegrity } from "../integrity.js";
import { outputTensor } from "../output-tensor.js";
import { PIECE_BYTES } from "../piece-bytes.js";
import { tieKeys } from "../tie-key.js";
import { pruneTree } from "./prune-tree.js";

/** What a repair can write: safetensors, or an archive of torch.save that is arranged as the damaged one. */
export const REPAIR_TARGETS = ["safetensors", "torch"] as const;

/** One of {@link REPAIR_TARGETS}. */
export type RepairTarget = (typeof REPAIR_TARGETS)[number];

/** How to repair. */
export interface RepairOptions extends OperationOptions {
  kernels: Kernels;
  /** Name of the output. */
  fileName: string;
  to: RepairTarget;
  limits?: Partial<Limits> | undefined;
}

/** A tensor that could not be saved. */
export interface LostTensor {
  path: string;
  /** What it belongs to: weights of the model matter more than states of an optimizer. */
  group: TensorGroup;
  dtype: string;
  shape: readonly number[];
  byteLength: number;
  /** `unwritable`: it is whole, and the format that is written cannot hold it. */
  reason: Loss["kind"] | "unwritable";
  /** One sentence. */
  message: string;
}

/** What a repair saved, and what not. */
export interface RepairReport {
  uri: string;
  format: string;
  files: { name: string; byteLength: number }[];
  /** Tensors that were saved, tied ones counted each. */
  saved: number;
  /** Those of them that have bytes of which the file recorded no checksum: that they are what was written cannot be proved. */
  unchecked: number;
  lost: LostTensor[];
  /** Tied tensors that are stored once: dropped name -> kept name. */
  ties: Map<string, string>;
  findings: Finding[];
}

/**
 * Saves every tensor of a truncated or damaged torch zip archive or safetensors file whose bytes are whole, and tells which are
 * lost and why. A tensor is saved only where nothing speaks against it: an archive's checksum holds, a size is what the description says.
 * Streams, and writes whole or not at all. Does not close the source.
 *
 * @throws {CheckpointLoadError} NOTHING_SAVED, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED, and what reading a pickle throws
 * @example
 * const { saved, lost } = await repairCheckpoint(source, (name) => fileSink(name), { kernels, fileName: "saved.safetensors", to: "safetensors" });
 */
export async function repairCheckpoint(source: ByteSource, create: CreateSink, options: RepairOptions): Promise<RepairReport> {
  const salvaged = await salvageCheckpoint(source, options);
  const { checkpoint } = salvaged;
  const { kept, lost } = sort(salvaged, options.to);
  if (kept.length === 0) throw nothingSaved(checkpoint, lost);
  const { files, ties, findings } = await write(salvaged, kept, create, options);
  return {
    uri: source.name,
    format: checkpoint.format,
    files,
    saved: kept.length,
    unchecked: kept.filter(({ storage, byteLength }) => byteLength > 0 && storage?.crc === undefined).length,
    lost,
    ties,
    findings: [...checkpoint.findings, ...findings],
  };
}

/** Whether a repair saved all that the file holds. */
export const isComplete = ({ lost, findings }: RepairReport): boolean =>
  lost.length === 0 && !findings.some(({ severity }) => severity === "error");

/** Why a tensor cannot be read; undefined for one that can, or that has no bytes. */
function lossOf({ storage, shape, quantization }: TensorSpec, salvaged: Salvaged): Loss | undefined {
  const loss = storage && salvaged.lost.get(storage);
  if (loss) return countElements(shape) > 0 ? loss : undefined;
  if (!quantization || quantization.scheme === "per_tensor_affine") return undefined;
  return lossOf(quantization.scales, salvaged) ?? lossOf(quantization.zeroPoints, salvaged);
}

/** Puts aside what is lost, and what the target cannot hold. */
function sort(salvaged: Salvaged, to: RepairTarget): { kept: TensorHandle[]; lost: LostTensor[] } {
  const names = new Set<string>();
  const kept: TensorHandle[] = [];
  const lost: LostTensor[] = [];
  for (const tensor of salvaged.checkpoint.tensors) {
    const { path, group, dtype, shape, byteLength } = tensor;
    const about = { path, group, dtype, shape, byteLength };
    const loss = lossOf(tensor.spec, salvaged);
    const why = to === "safetensors" ? unwritable(tensor, names) : undefined;
    if (loss) lost.push({ ...about, reason: loss.kind, message: loss.message });
    else if (why !== undefined) lost.push({ ...about, reason: "unwritable", message: why });
    else {
      names.add(path);
      kept.push(tensor);
    }
  }
  return { kept, lost };
}

/** Why safetensors cannot hold a tensor. */
function unwritable({ path, dtype, storage, byteLength }: TensorHandle, names: ReadonlySet<string>): string | undefined {
  const advice = "repair to a .pt file to keep it";
  if (!SAFETENSORS_DTYPES.has(dtype) && dtype !== "F4_X2") return `safetensors has no dtype ${dtype}: ${advice}.`;
  if (path === "__metadata__" || !path.isWellFormed()) return `safetensors cannot hold a tensor of this name: ${advice}.`;
  if (names.has(path)) return `Another tensor has the same path: ${advice}.`;
  if (!storage && byteLength > 0) return `It never had bytes (meta device): ${advice}.`;
  return undefined;
}

function nothingSaved({ uri, tensors }: Checkpoint, lost: readonly LostTensor[]): CheckpointLoadError {
  const [first] = lost;
  const why = first ? `all of its ${lost.length} tensors are lost. The first of them: ${first.message}` : "it holds no tensors.";
  return new CheckpointLoadError("NOTHING_SAVED", `Nothing of ${uri} could be saved: ${why}`, {
    details: { tensors: tensors.length, lost: lost.slice(0, 100) },
    suggestions: ["Fetch the file again, or look for an older checkpoint."],
  });
}

async function write(
  salvaged: Salvaged,
  kept: readonly TensorHandle[],
  create: CreateSink,
  options: RepairOptions,
): Promise<{ files: RepairReport["files"]; ties: Map<string, string>; findings: Finding[] }> {
  const { kernels, to } = options;
  const { checkpoint } = salvaged;
  const keyOf = tieKeys();
  const output = (name: string, spec: TensorSpec) => outputTensor(name, spec, keyOf(spec), undefined, kernels);
  // The bytes that are written are checked once more: the file may have been changed since.
  const integrity = watchIntegrity({ ...checkpoint, findings: [] }, kept, kernels);
  const buffer = kernels.allocate(PIECE_BYTES);
  const writing = { ...options, buffer: buffer.bytes, beforeCommit: () => integrity.finish(options) };
  try {
    if (to === "torch") {
      const { tree: all } = checkpoint;
      const tree = salvaged.lost.size === 0 ? all : pruneTree(all, (spec) => lossOf(spec, salvaged) !== undefined);
      const { files, findings } = await writeTorch(tree, (spec, name) => output(name, spec), create, writing);
      return { files, ties: new Map(), findings };
    }
    const names = namesOf(kept);
    const outputs = kept.map((tensor, index) => output(names[index] ?? tensor.path, tensor.spec));
    const { files, ties } = await writeSafetensors(outputs, create, { ...writing, metadata: metadataOf(checkpoint) });
    return { files, ties, findings: [] };
  } finally {
    integrity.cancel();
    buffer.free();
  }
}

/** Names in the state dict, where no two tensors have the same; else paths. */
function namesOf(tensors: readonly TensorHandle[]): string[] {
  const names = tensors.map(({ name }) => name);
  const isFit = new Set(names).size === names.length && names.every((name) => name !== "__metadata__");
  return isFit ? names : tensors.map(({ path }) => path);
}

/** The file's own `__metadata__`, whose values are strings. */
function metadataOf({ format, metadata }: Checkpoint): Record<string, string> {
  if (format !== "safetensors") return { format: "pt" };
  return Object.fromEntries(Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
