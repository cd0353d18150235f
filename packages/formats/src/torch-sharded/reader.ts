import {
  type ByteSource,
  type Checkpoint,
  type FormatReader,
  finish,
  finishSync,
  isNode,
  type OpenOptions,
  type Reading,
  readStep,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { describeTree } from "../metadata.js";
import { readSharded } from "../sharded/read-sharded.js";
import type { ShardKind } from "../sharded/shard-index.js";
import { shardedTorchSignature } from "../sharded/signatures.js";
import { readTorchLegacy, torchLegacyReader } from "../torch/legacy-reader.js";
import { readTorchZip } from "../torch/zip-reader.js";

/** Opens torch checkpoints in several files from their `pytorch_model.bin.index.json`. */
export const shardedTorchReader: FormatReader = {
  ...shardedTorchSignature,
  open: openShardedTorch,
  openSync: (source, options) => finishSync(readShardedTorch(source, options)),
};

const KIND: ShardKind = {
  format: "torch-sharded",
  code: "TORCH_INDEX",
  rules: "torch",
  isShard: (file) => /\.(?:bin|pt|pth|ckpt)$/.test(file),
  what: "safetensors or files of torch.save",
};

/** Bytes of a shard's beginning that tell how it was saved. */
const HEAD_BYTES = 64;

/**
 * Opens all shards that an index names, reads their pickles, and checks index against shards both ways.
 *
 * @param options.openSibling opens the shards, by their names in the index.
 * @throws {CheckpointLoadError} TORCH_INDEX when they do not agree, and what opening a single file throws
 * @throws {CheckpointConfigError} INVALID_ARGUMENT without `openSibling`
 * @see https://huggingface.co/docs/transformers/big_models
 * @example
 * const checkpoint = await openShardedTorch(index, { openSibling: async (name) => blobSource(files.get(name)) });
 */
export async function openShardedTorch(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readShardedTorch(source, options));
}

function* readShardedTorch(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  function* readShard(shard: ByteSource, file: string): Reading<Checkpoint> {
    const head = yield* readStep(shard, 0, Math.min(HEAD_BYTES, shard.size), options);
    const isLegacy = torchLegacyReader.matches({ head, size: shard.size, name: file });
    const scope = `${file}/`; // every shard numbers its storages from 0 on
    return yield* isLegacy ? readTorchLegacy(shard, options, scope) : readTorchZip(shard, options, scope);
  }
  const { tensors, index, shards, ...rest } = yield* readSharded(source, KIND, readShard, options);
  const entries = tensors.map(({ name, spec }): [Tree, Tree] => [name, { kind: "tensor", tensor: spec }]);
  const others = shards.flatMap(({ tree }) =>
    isNode(tree) && tree.kind === "map" ? tree.entries.filter(([, value]) => !isTensor(value)) : [],
  );
  const tree: Tree = { kind: "map", type: "collections.OrderedDict", entries: [...entries, ...others] };
  return {
    uri: source.name,
    format: KIND.format,
    layout: "state_dict",
    tensors,
    tree,
    metadata: { ...describeTree(tree, limits), ...Object.fromEntries(index.metadata) },
    ...rest,
  };
}

const isTensor = (value: Tree): boolean => isNode(value) && value.kind === "tensor";
