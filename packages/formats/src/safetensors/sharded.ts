import {
  type ByteSource,
  type Checkpoint,
  CheckpointConfigError,
  CheckpointError,
  CheckpointLoadError,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  step,
  type TensorHandle,
  withLimits,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { readHeader, type SafetensorsHeader } from "./header.js";
import { handlesOf, metadataToJson, treeOf } from "./reader.js";
import { readShardIndex, type ShardIndex } from "./shard-index.js";

/** Opens sharded safetensors checkpoints from their `*.safetensors.index.json`. */
export const shardedSafetensorsReader: FormatReader = {
  format: "safetensors-sharded",
  matches: ({ head, name }) =>
    /\.index\.json$/.test(name) || /^\s*\{[\s\S]*"weight_map"\s*:/.test(new TextDecoder().decode(head.slice(0, 4096))),
  open: openShardedSafetensors,
  openSync: (source, options) => finishSync(readSharded(source, options)),
};

/** How many shards are opened side by side. */
const PARALLEL_SHARDS = 8;

/** A shard whose header has been read. */
interface Shard {
  file: string;
  source: ByteSource;
  header: SafetensorsHeader;
}

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
  return finish(readSharded(source, options));
}

function* readSharded(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const index = yield* readShardIndex(source, options.mode === "strict", limits, options);
  if (!options.openSibling && !options.openSiblingSync) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `${source.name} names shards, but nothing was given to open them with.`, {
      suggestions: ["Open the checkpoint by its path or URL, or give openSibling."],
    });
  }
  const sources: ByteSource[] = [];
  const closeShards = async (): Promise<void> => {
    await Promise.all(sources.map((shard) => shard.close?.()));
  };
  try {
    function* open(file: string): Reading<Shard> {
      const shard = yield* openShard(file, source.name, options);
      sources.push(shard);
      return { file, source: shard, header: yield* readHeader(shard, options.mode === "strict", limits, options) };
    }
    const shards = yield* openAll([...new Set(index.weightMap.values())].sort(), open, options);
    const tensors = joinShards(index, shards, source.name);
    const findings = shards.flatMap(({ file, header }) => header.findings.map((finding) => ({ ...finding, at: file })));
    return {
      uri: source.name,
      format: "safetensors-sharded",
      layout: "state_dict",
      byteLength: shards.reduce((sum, shard) => sum + shard.source.size, source.size),
      tensors,
      tree: treeOf(tensors),
      metadata: metadataToJson(new Map([...shards.flatMap(({ header }) => [...header.metadata]), ...index.metadata])),
      findings: [...index.findings, ...findings, ...totalSizeFindings(index, tensors)],
      close: async () => {
        await Promise.all([source.close?.(), closeShards()]);
      },
    };
  } catch (error) {
    yield* step({ what: "closing shards", wait: closeShards, now: () => void closeShards() });
    throw error;
  }
}

/** Opens shards, some at a time. When one fails, waits for those on their way, so that all of them can be closed. */
function* openAll(files: readonly string[], open: (file: string) => Reading<Shard>, options: OpenOptions): Reading<Shard[]> {
  const shards: Shard[] = [];
  for (let first = 0; first < files.length; first += PARALLEL_SHARDS) {
    const some = files.slice(first, first + PARALLEL_SHARDS);
    const opened = yield* step({
      what: "opening shards",
      wait: async () => {
        const settled = await Promise.allSettled(some.map((file) => finish(open(file))));
        return settled.map((outcome) => {
          if (outcome.status === "rejected") throw outcome.reason;
          return outcome.value;
        });
      },
      now: () => some.map((file) => finishSync(open(file))),
    });
    shards.push(...opened);
    options.onProgress?.({ phase: "open", done: shards.length, total: files.length });
  }
  return shards;
}

/** The tensors of all shards in the order of the index. @throws {CheckpointLoadError} SAFETENSORS_INDEX */
function joinShards(index: ShardIndex, shards: readonly Shard[], name: string): TensorHandle[] {
  const byName = new Map<string, TensorHandle>();
  for (const { file, source, header } of shards) {
    for (const handle of handlesOf(source, header)) {
      const expected = index.weightMap.get(handle.name);
      if (expected !== file)
        throw disagree(name, `${file} holds the tensor ${quoted(handle.name)}, which the index places in ${expected ?? "no shard"}`);
      byName.set(handle.name, handle);
    }
  }
  return [...index.weightMap].map(([tensor, file]) => {
    const handle = byName.get(tensor);
    if (!handle) throw disagree(name, `the index places the tensor ${quoted(tensor)} in ${file}, which does not hold it`);
    return handle;
  });
}

function totalSizeFindings({ totalSize }: ShardIndex, tensors: readonly TensorHandle[]): Checkpoint["findings"] {
  const total = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (totalSize === undefined || totalSize === total) return [];
  const message = `The index declares total_size ${totalSize}, but the tensors of its shards have ${total} bytes.`;
  return [{ rule: "safetensors-index-total-size", severity: "warning", message }];
}

const disagree = (name: string, why: string): CheckpointLoadError =>
  new CheckpointLoadError("SAFETENSORS_INDEX", `${name} and its shards do not agree: ${why}.`, {
    suggestions: ["A shard may be of another version of the model: fetch index and shards again, together."],
  });

function* openShard(file: string, index: string, { openSibling, openSiblingSync }: OpenOptions): Reading<ByteSource> {
  try {
    return yield* step({
      what: `opening ${file}`,
      wait: async () => openSibling?.(file) ?? Promise.reject(new Error("unreachable: one of the two is given")),
      now: openSiblingSync && (() => openSiblingSync(file)),
    });
  } catch (cause) {
    if (!(cause instanceof CheckpointError) || cause.code !== "NOT_FOUND") throw cause;
    throw new CheckpointLoadError("SAFETENSORS_INDEX", `${index} names the shard ${file}, which is not there.`, {
      details: { shard: file },
      suggestions: ["Put all shards beside the index; the download may be incomplete."],
      cause,
    });
  }
}
