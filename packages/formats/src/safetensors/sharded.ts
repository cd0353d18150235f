import {
  type ByteSource,
  type Checkpoint,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  withLimits,
} from "@ckptkit/core";
import { readSharded } from "../sharded/read-sharded.js";
import type { ShardKind } from "../sharded/shard-index.js";
import { shardedSafetensorsSignature } from "../sharded/signatures.js";
import { readHeader } from "./header.js";
import { handlesOf, metadataToJson, treeOf } from "./reader.js";

/** Opens sharded safetensors checkpoints from their `*.safetensors.index.json`. */
export const shardedSafetensorsReader: FormatReader = {
  ...shardedSafetensorsSignature,
  open: openShardedSafetensors,
  openSync: (source, options) => finishSync(readShardedSafetensors(source, options)),
};

const KIND: ShardKind = {
  format: "safetensors-sharded",
  code: "SAFETENSORS_INDEX",
  rules: "safetensors",
  isShard: (file) => file.endsWith(".safetensors"),
  what: "safetensors",
};

/**
 * Opens all shards that an index names, reads their headers, and checks index against shards both ways.
 *
 * @param options.openSibling opens the shards, by their names in the index.
 * @throws {CheckpointLoadError} SAFETENSORS_INDEX when they do not agree, and what opening a single file throws
 * @throws {CheckpointConfigError} INVALID_ARGUMENT without `openSibling`
 * @see https://huggingface.co/docs/safetensors/metadata_parsing (sharded checkpoints)
 * @example
 * const checkpoint = await openShardedSafetensors(index, { openSibling: async (name) => blobSource(files.get(name)) });
 */
export async function openShardedSafetensors(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readShardedSafetensors(source, options));
}

function* readShardedSafetensors(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  function* readShard(shard: ByteSource) {
    const header = yield* readHeader(shard, options.mode === "strict", limits, options);
    return { tensors: handlesOf(shard, header), findings: header.findings, metadata: header.metadata };
  }
  const { tensors, index, shards, ...rest } = yield* readSharded(source, KIND, readShard, options);
  return {
    uri: source.name,
    format: KIND.format,
    layout: "state_dict",
    tensors,
    tree: treeOf(tensors),
    metadata: metadataToJson(new Map([...shards.flatMap(({ metadata }) => [...metadata]), ...index.metadata])),
    ...rest,
  };
}
