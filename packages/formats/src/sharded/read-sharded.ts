import {
  type ByteSource,
  CheckpointConfigError,
  CheckpointError,
  CheckpointLoadError,
  type Finding,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  step,
  type TensorHandle,
  withLimits,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { readShardIndex, type ShardIndex, type ShardKind } from "./shard-index.js";

/** How many shards are opened side by side. */
const PARALLEL_SHARDS = 8;

/** What a shard holds, by its description. */
export interface Shard {
  readonly tensors: readonly TensorHandle[];
  readonly findings: readonly Finding[];
}

/** Index and shards of one checkpoint, which agree. */
export interface ShardedParts<S extends Shard> {
  /** In the order of the index. */
  readonly tensors: readonly TensorHandle[];
  readonly index: ShardIndex;
  /** By name. */
  readonly shards: readonly S[];
  readonly byteLength: number;
  readonly findings: readonly Finding[];
  close(): Promise<void>;
}

interface NamedShard<S extends Shard = Shard> {
  readonly file: string;
  readonly shard: S;
}

/**
 * Opens all shards that an index names, reads their descriptions, and checks index against shards both ways.
 *
 * @param readShard reads the description of one shard.
 * @throws {CheckpointLoadError} the kind's code when they do not agree, and what `readShard` throws
 * @throws {CheckpointConfigError} INVALID_ARGUMENT without a way to open shards
 */
export function* readSharded<S extends Shard>(
  source: ByteSource,
  kind: ShardKind,
  readShard: (shard: ByteSource, file: string) => Reading<S>,
  options: OpenOptions,
): Reading<ShardedParts<S>> {
  const index = yield* readShardIndex(source, kind, options.mode === "strict", withLimits(options.limits), options);
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
    function* open(file: string): Reading<NamedShard<S>> {
      const opened = yield* openShard(file, kind, source.name, options);
      sources.push(opened);
      return { file, shard: yield* readShard(opened, file) };
    }
    const shards = yield* openAll([...new Set(index.weightMap.values())].sort(), open, options);
    const tensors = joinShards(index, shards, kind, source.name);
    const found = shards.flatMap(({ file, shard }) => shard.findings.map((finding) => ({ ...finding, at: file })));
    return {
      tensors,
      index,
      shards: shards.map(({ shard }) => shard),
      byteLength: sources.reduce((sum, { size }) => sum + size, source.size),
      findings: [...index.findings, ...found, ...totalSizeFindings(kind, index, tensors)],
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
function* openAll<S extends Shard>(
  files: readonly string[],
  open: (file: string) => Reading<NamedShard<S>>,
  options: OpenOptions,
): Reading<NamedShard<S>[]> {
  const shards: NamedShard<S>[] = [];
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

/** The tensors of all shards in the order of the index. @throws {CheckpointLoadError} the kind's code */
function joinShards(index: ShardIndex, shards: readonly NamedShard[], kind: ShardKind, name: string): TensorHandle[] {
  const byName = new Map<string, TensorHandle>();
  for (const { file, shard } of shards) {
    for (const handle of shard.tensors) {
      const expected = index.weightMap.get(handle.name);
      if (expected !== file)
        throw disagree(kind, name, `${file} holds the tensor ${quoted(handle.name)}, which the index places in ${expected ?? "no shard"}`);
      byName.set(handle.name, handle);
    }
  }
  return [...index.weightMap].map(([tensor, file]) => {
    const handle = byName.get(tensor);
    if (!handle) throw disagree(kind, name, `the index places the tensor ${quoted(tensor)} in ${file}, which does not hold it`);
    return handle;
  });
}

/** Writers count tied tensors once, or as often as they are named. */
function totalSizeFindings(kind: ShardKind, { totalSize }: ShardIndex, tensors: readonly TensorHandle[]): Finding[] {
  const sum = (handles: Iterable<TensorHandle>): number => [...handles].reduce((bytes, { byteLength }) => bytes + byteLength, 0);
  const total = sum(tensors);
  const untied = sum(new Map(tensors.map((handle) => [handle.storage ?? handle, handle])).values());
  if (totalSize === undefined || totalSize === total || totalSize === untied) return [];
  const message = `The index declares total_size ${totalSize}, but the tensors of its shards have ${total} bytes.`;
  return [{ rule: `${kind.rules}-index-total-size`, severity: "warning", message }];
}

const disagree = (kind: ShardKind, name: string, why: string): CheckpointLoadError =>
  new CheckpointLoadError(kind.code, `${name} and its shards do not agree: ${why}.`, {
    suggestions: ["A shard may be of another version of the model: fetch index and shards again, together."],
  });

function* openShard(file: string, kind: ShardKind, index: string, { openSibling, openSiblingSync }: OpenOptions): Reading<ByteSource> {
  try {
    return yield* step({
      what: `opening ${file}`,
      wait: async () => openSibling?.(file) ?? Promise.reject(new Error("unreachable: one of the two is given")),
      now: openSiblingSync && (() => openSiblingSync(file)),
    });
  } catch (cause) {
    if (!(cause instanceof CheckpointError) || cause.code !== "NOT_FOUND") throw cause;
    throw new CheckpointLoadError(kind.code, `${index} names the shard ${file}, which is not there.`, {
      details: { shard: file },
      suggestions: ["Put all shards beside the index; the download may be incomplete."],
      cause,
    });
  }
}
