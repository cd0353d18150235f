import {
  type ByteSource,
  type Checkpoint,
  CheckpointConfigError,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type FormatReader,
  type OpenOptions,
  type TensorHandle,
  withLimits,
} from "@ckptkit/core";
import { readHeader } from "./header.js";
import { handlesOf, metadataToJson, treeOf } from "./reader.js";
import { parseStrictJson, type StrictJson } from "./strict-json.js";

/** Opens sharded safetensors checkpoints from their `*.safetensors.index.json`. */
export const shardedSafetensorsReader: FormatReader = {
  format: "safetensors-sharded",
  matches: ({ head, name }) =>
    /\.index\.json$/.test(name) || /^\s*\{[\s\S]*"weight_map"\s*:/.test(new TextDecoder().decode(head.slice(0, 4096))),
  open: openShardedSafetensors,
};

/** How many shards are opened side by side. */
const PARALLEL_SHARDS = 8;

interface ShardIndex {
  weightMap: Map<string, string>;
  totalSize: number | undefined;
  metadata: Map<string, string>;
}

/**
 * Opens all shards that an index names, reads their headers, and checks index against shards both ways.
 *
 * @throws {CheckpointLoadError} SAFETENSORS_INDEX when they do not agree, and what opening a single file throws
 * @see https://huggingface.co/docs/safetensors/metadata_parsing (sharded checkpoints)
 */
export async function openShardedSafetensors(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  checkLimit(limits, "headerBytes", source.size, `Size of the index ${source.name}`);
  const index = readIndex(new TextDecoder().decode((await source.read(0, source.size, options)).slice()), source.name);
  if (!options.openSibling) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `${source.name} names shards, but nothing was given to open them with.`, {
      suggestions: ["Open the checkpoint by its path or URL, or give openSibling."],
    });
  }
  const files = [...new Set(index.weightMap.values())].sort();
  const shards: ByteSource[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all([source, ...shards].map((shard) => shard.close?.()));
  };
  try {
    const headers = new Map<string, { shard: ByteSource; header: Awaited<ReturnType<typeof readHeader>> }>();
    for (let first = 0; first < files.length; first += PARALLEL_SHARDS) {
      await Promise.all(
        files.slice(first, first + PARALLEL_SHARDS).map(async (file) => {
          const shard = await openShard(file, source.name, options.openSibling);
          shards.push(shard);
          headers.set(file, { shard, header: await readHeader(shard, options.mode === "strict", limits, options) });
        }),
      );
      options.onProgress?.({ phase: "open", done: Math.min(files.length, first + PARALLEL_SHARDS), total: files.length });
    }
    const findings: Finding[] = [];
    const byName = new Map<string, TensorHandle>();
    for (const file of files) {
      const opened = headers.get(file);
      if (!opened) continue;
      findings.push(...opened.header.findings.map((finding) => ({ ...finding, at: file })));
      for (const handle of handlesOf(opened.shard, opened.header)) {
        if (index.weightMap.get(handle.name) === file) byName.set(handle.name, handle);
        else
          throw disagree(
            source.name,
            `${file} holds the tensor ${JSON.stringify(handle.name)}, which the index places in ${index.weightMap.get(handle.name) ?? "no shard"}`,
          );
      }
    }
    const tensors: TensorHandle[] = [];
    for (const [name, file] of index.weightMap) {
      const handle = byName.get(name);
      if (!handle) throw disagree(source.name, `the index places the tensor ${JSON.stringify(name)} in ${file}, which does not hold it`);
      tensors.push(handle);
    }
    const total = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
    if (index.totalSize !== undefined && index.totalSize !== total) {
      findings.push({
        rule: "safetensors-index-total-size",
        severity: "warning",
        message: `The index declares total_size ${index.totalSize}, but the tensors of its shards have ${total} bytes.`,
      });
    }
    return {
      uri: source.name,
      format: "safetensors-sharded",
      layout: "state_dict",
      byteLength: shards.reduce((sum, shard) => sum + shard.size, source.size),
      tensors,
      tree: treeOf(tensors),
      metadata: metadataToJson(new Map([...[...headers.values()].flatMap(({ header }) => [...header.metadata]), ...index.metadata])),
      findings,
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const disagree = (name: string, why: string): CheckpointLoadError =>
  new CheckpointLoadError("SAFETENSORS_INDEX", `${name} and its shards do not agree: ${why}.`, {
    suggestions: ["A shard may be of another version of the model: fetch index and shards again, together."],
  });

async function openShard(file: string, indexName: string, openSibling: OpenOptions["openSibling"]): Promise<ByteSource> {
  // A shard is a file beside its index: a name that leads elsewhere is not one that any writer makes.
  if (!file || /(^|[\\/])\.\.([\\/]|$)|^[\\/]|:/.test(file))
    throw disagree(indexName, `${JSON.stringify(file)} is not the name of a file beside the index`);
  try {
    return await (openSibling as NonNullable<typeof openSibling>)(file); // checked by the caller
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "NOT_FOUND") {
      throw new CheckpointLoadError("SAFETENSORS_INDEX", `${indexName} names the shard ${file}, which is not there.`, {
        details: { shard: file },
        suggestions: ["Put all shards beside the index; the download may be incomplete."],
        cause,
      });
    }
    throw cause;
  }
}

function readIndex(text: string, name: string): ShardIndex {
  const malformed = (why: string): CheckpointLoadError => new CheckpointLoadError("SAFETENSORS_INDEX", `The index ${name} ${why}.`);
  const { value } = parseStrictJson(text, `The index ${name}`);
  const map = value instanceof Map ? value.get("weight_map") : undefined;
  if (!(value instanceof Map) || !(map instanceof Map)) throw malformed('has no object "weight_map"');
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of map) {
    if (typeof file !== "string") throw malformed(`gives the tensor ${JSON.stringify(tensor)} no file name`);
    weightMap.set(tensor, file);
  }
  const other = [...weightMap.values()].find((file) => !file.endsWith(".safetensors"));
  if (other !== undefined) {
    throw new CheckpointLoadError(
      "UNSUPPORTED_FORMAT",
      `The index ${name} names the shard ${other}; sharded checkpoints are read where their shards are safetensors.`,
      {
        details: { shard: other },
        suggestions: ["Open the shards one by one."],
      },
    );
  }
  const declared: StrictJson | undefined = value.get("metadata");
  const metadata = new Map<string, string>();
  if (declared instanceof Map) for (const [key, entry] of declared) if (typeof entry === "string") metadata.set(key, entry);
  const totalSize = declared instanceof Map ? declared.get("total_size") : undefined;
  return { weightMap, totalSize: typeof totalSize === "number" ? totalSize : undefined, metadata };
}
