import {
  type ByteSink,
  CheckpointValidationError,
  type CreateSink,
  DEFAULT_LIMITS,
  DTYPES,
  isDType,
  type OutputTensor,
} from "@ckptkit/core";
import { checkUniqueNames, separateTies } from "../tensor-names.js";
import { type WriteOptions, type WriteResult, writeSession } from "../write-session.js";
import { LENGTH_BYTES, SAFETENSORS_DTYPES } from "./header.js";

/** The data section is aligned to this many bytes, as the reference implementation pads its header. */
const ALIGNMENT = 8;

/** How to write safetensors. */
export interface SafetensorsWriteOptions extends WriteOptions {
  /** Written as `__metadata__`: strings only. */
  metadata?: Readonly<Record<string, string>>;
  /** Bytes of tensor data that one file may hold; more are split over shards with an index. A tensor is never split. */
  maxShardBytes?: number | undefined;
}

/** A tensor with the dtype and shape that the format writes for it. */
interface Entry {
  tensor: OutputTensor;
  dtype: string;
  shape: readonly number[];
}

/**
 * Writes tensors as one safetensors file, or as shards with a `*.safetensors.index.json`. Streams: memory does not grow
 * with the tensors. Tied tensors are stored once, and the dropped name -> kept name goes into `__metadata__`.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE, NAME_CONFLICT, NO_TENSORS
 * @see https://github.com/huggingface/safetensors#format
 */
export async function writeSafetensors(
  tensors: readonly OutputTensor[],
  create: CreateSink,
  options: SafetensorsWriteOptions,
): Promise<WriteResult> {
  checkUniqueNames(tensors);
  checkRepresentable(tensors);
  const { stored, ties } = separateTies(tensors);
  const entries = stored.map(toEntry).sort(inFileOrder);
  const shards = splitIntoShards(entries, options.maxShardBytes);
  const total = stored.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  const names = shardNames(options.fileName, shards.length);
  let done = 0;
  const files = await writeSession(create, options, async (open) => {
    for (const [index, shard] of shards.entries()) {
      const kept = new Set(shard.map(({ tensor }) => tensor.name));
      const metadata = { ...options.metadata, ...Object.fromEntries([...ties].filter(([, name]) => kept.has(name))) };
      const sink = await open(names[index] ?? options.fileName);
      await writeHeader(sink, shard, metadata);
      for (const { tensor } of shard) {
        for await (const bytes of tensor.chunks(options.buffer, options)) {
          await sink.write(bytes);
          done += bytes.length;
          options.onProgress?.({ phase: "convert", done, total, item: tensor.name });
        }
      }
    }
    if (shards.length > 1) await writeIndex(await open(`${stem(options.fileName)}.safetensors.index.json`), shards, names, total);
  });
  return { files, ties };
}

function checkRepresentable(tensors: readonly OutputTensor[]): void {
  const wrong = tensors.filter(({ dtype }) => !SAFETENSORS_DTYPES.has(dtype) && dtype !== "F4_X2");
  if (wrong.length > 0) {
    const listed = wrong.slice(0, 5).map(({ name, dtype }) => `${JSON.stringify(name)} (${dtype})`);
    throw new CheckpointValidationError(
      "UNSUPPORTED_DTYPE",
      `safetensors has no dtype for ${wrong.length} of the tensors: ${listed.join(", ")}${wrong.length > 5 ? " ..." : ""}.`,
      {
        details: { tensors: wrong.slice(0, 100).map(({ name, dtype }) => ({ name, dtype })) },
        suggestions: ["Write a torch file (--to state_dict), which keeps these dtypes.", "Leave these tensors out with --filter."],
      },
    );
  }
  for (const { name } of tensors) {
    if (name === "__metadata__" || !name.isWellFormed()) {
      throw new CheckpointValidationError("NAME_CONFLICT", `safetensors cannot hold a tensor named ${JSON.stringify(name)}.`, {
        details: { name },
      });
    }
  }
}

/** torch counts pairs of 4-bit floats as one element, safetensors counts both. */
function toEntry(tensor: OutputTensor): Entry {
  if (tensor.dtype !== "F4_X2") return { tensor, dtype: tensor.dtype, shape: tensor.shape };
  const shape = [...tensor.shape];
  if (shape.length === 0) shape.push(2);
  else shape[shape.length - 1] = 2 * (shape.at(-1) ?? 1);
  return { tensor, dtype: "F4", shape };
}

/** Widest dtype first, so that every tensor is aligned to its elements; then by name. The reference implementation's order. */
function inFileOrder(a: Entry, b: Entry): number {
  const bits = ({ dtype }: Entry): number => (isDType(dtype) ? DTYPES[dtype].bits : 0);
  return bits(b) - bits(a) || (a.tensor.name < b.tensor.name ? -1 : 1);
}

function splitIntoShards(entries: readonly Entry[], maxShardBytes = Number.POSITIVE_INFINITY): Entry[][] {
  const shards: Entry[][] = [[]];
  let bytes = 0;
  for (const entry of entries) {
    if (bytes > 0 && bytes + entry.tensor.byteLength > maxShardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(entry);
    bytes += entry.tensor.byteLength;
  }
  return shards;
}

const stem = (fileName: string): string => fileName.replace(/\.safetensors$/, "");

/** `model.safetensors`, or `model-00001-of-00002.safetensors` ..., as huggingface_hub names shards. */
function shardNames(fileName: string, count: number): string[] {
  if (count === 1) return [fileName];
  const number = (value: number): string => String(value).padStart(5, "0");
  return Array.from({ length: count }, (_, index) => `${stem(fileName)}-${number(index + 1)}-of-${number(count)}.safetensors`);
}

async function writeHeader(sink: ByteSink, entries: readonly Entry[], metadata: Readonly<Record<string, string>>): Promise<void> {
  const parts: string[] = [];
  if (Object.keys(metadata).length > 0) parts.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let at = 0;
  for (const { tensor, dtype, shape } of entries) {
    const end = at + tensor.byteLength;
    parts.push(`${JSON.stringify(tensor.name)}:${JSON.stringify({ dtype, shape, data_offsets: [at, end] })}`);
    at = end;
  }
  const json = new TextEncoder().encode(`{${parts.join(",")}}`);
  const headerBytes = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  if (headerBytes > DEFAULT_LIMITS.headerBytes) {
    throw new CheckpointValidationError(
      "LIMIT_EXCEEDED",
      `The header would have ${headerBytes} bytes, more than the ${DEFAULT_LIMITS.headerBytes} that safetensors allows.`,
    );
  }
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, LENGTH_BYTES);
  await sink.write(bytes);
}

async function writeIndex(sink: ByteSink, shards: readonly Entry[][], names: readonly string[], totalBytes: number): Promise<void> {
  const weights = shards.flatMap((shard, index) => shard.map(({ tensor }) => [tensor.name, names[index] ?? ""] as const));
  weights.sort(([a], [b]) => (a < b ? -1 : 1));
  const index = { metadata: { total_size: totalBytes }, weight_map: Object.fromEntries(weights) };
  await sink.write(new TextEncoder().encode(`${JSON.stringify(index, null, 2)}\n`));
}
