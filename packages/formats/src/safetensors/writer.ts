import {
  type ByteSink,
  CheckpointConfigError,
  CheckpointValidationError,
  type CreateSink,
  DEFAULT_LIMITS,
  type OutputTensor,
} from "@ckptkit/core";
import { OutputBytes } from "../output-bytes.js";
import { checkUniqueNames, separateTies } from "../tensor-names.js";
import { type WriteOptions, type WriteResult, writeSession } from "../write-session.js";
import { checkRepresentable, inFileOrder, type OutputEntry, toEntry } from "./entries.js";
import { ALIGNMENT, LENGTH_BYTES } from "./header.js";

/** How to write safetensors. */
export interface SafetensorsWriteOptions extends WriteOptions {
  /** Written as `__metadata__`: strings only. */
  metadata?: Readonly<Record<string, string>>;
  /** Bytes of tensor data that one file may hold; more are split over shards with an index. A tensor is never split. */
  maxShardBytes?: number | undefined;
}

/**
 * Writes tensors as one safetensors file, or as shards with a `*.safetensors.index.json`. Streams: memory does not grow
 * with the tensors. Tied tensors are stored once, and the dropped name -> kept name goes into `__metadata__`.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE, NAME_CONFLICT, LIMIT_EXCEEDED
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 * @see https://github.com/huggingface/safetensors#format
 * @example
 * await writeSafetensors(tensors, (name) => fileSink(name), { fileName: "model.safetensors", buffer: new Uint8Array(1 << 20) });
 */
export async function writeSafetensors(
  tensors: readonly OutputTensor[],
  create: CreateSink,
  options: SafetensorsWriteOptions,
): Promise<WriteResult> {
  const { fileName, metadata = {}, maxShardBytes = Number.POSITIVE_INFINITY } = options;
  if (!(maxShardBytes >= 1)) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `maxShardBytes is ${maxShardBytes}; it must be a number of at least 1.`);
  }
  checkUniqueNames(tensors);
  checkRepresentable(tensors, metadata);
  // A tie is noted in the metadata under the name of the tensor that is not stored.
  const { stored, ties } = separateTies(tensors, new Set(Object.keys(metadata)));
  const shards = splitIntoShards(stored.map(toEntry).sort(inFileOrder), maxShardBytes);
  const names = shardNames(fileName, shards.length);
  const bytes = new OutputBytes(stored, options);
  const files = await writeSession(create, options, async (open) => {
    for (const [index, shard] of shards.entries()) {
      const kept = new Set(shard.map(({ tensor }) => tensor.name));
      const shardTies = [...ties].filter(([, name]) => kept.has(name));
      const sink = await open(names[index] ?? fileName);
      await writeHeader(sink, shard, { ...metadata, ...Object.fromEntries(shardTies) });
      await bytes.writeTo(
        sink,
        shard.map(({ tensor }) => tensor),
      );
    }
    if (shards.length > 1) await writeIndex(await open(`${stem(fileName)}.safetensors.index.json`), shards, names, bytes.total);
  });
  return { files, ties };
}

function splitIntoShards(entries: readonly OutputEntry[], maxShardBytes: number): OutputEntry[][] {
  const shards: OutputEntry[][] = [[]];
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

async function writeHeader(sink: ByteSink, entries: readonly OutputEntry[], metadata: Readonly<Record<string, string>>): Promise<void> {
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

async function writeIndex(sink: ByteSink, shards: readonly OutputEntry[][], names: readonly string[], totalBytes: number): Promise<void> {
  const weights = shards.flatMap((shard, index) => shard.map(({ tensor }) => [tensor.name, names[index] ?? ""] as const));
  weights.sort(([a], [b]) => (a < b ? -1 : 1));
  const index = { metadata: { total_size: totalBytes }, weight_map: Object.fromEntries(weights) };
  await sink.write(new TextEncoder().encode(`${JSON.stringify(index, null, 2)}\n`));
}
