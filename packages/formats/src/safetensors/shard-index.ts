import {
  type ByteSource,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
} from "@ckptkit/core";
import { leadsElsewhere } from "../file-beside.js";
import { quoted } from "../quoted.js";
import { decodeUtf8 } from "./header.js";
import { parseStrictJson } from "./strict-json.js";

/** A `*.safetensors.index.json` that was read and checked by itself. */
export interface ShardIndex {
  /** Tensor name -> file name, in the order of the index. */
  weightMap: Map<string, string>;
  /** Bytes of all tensors, as declared. */
  totalSize: number | undefined;
  /** The strings of its `metadata`. */
  metadata: Map<string, string>;
  findings: Finding[];
}

/**
 * Reads the index of a sharded checkpoint.
 *
 * @throws {CheckpointLoadError} SAFETENSORS_INDEX, UNSUPPORTED_FORMAT for shards that are not safetensors, LIMIT_EXCEEDED
 * @see https://huggingface.co/docs/safetensors/metadata_parsing (sharded checkpoints)
 */
export function* readShardIndex(source: ByteSource, strict: boolean, limits: Limits, options?: SignalOptions): Reading<ShardIndex> {
  const { name } = source;
  checkLimit(limits, "headerBytes", source.size, `Size of the index ${name}`);
  const malformed = (why: string): CheckpointLoadError => new CheckpointLoadError("SAFETENSORS_INDEX", `The index ${name} ${why}.`);
  const text = decodeUtf8(yield* readStep(source, 0, source.size, options), `The index ${name}`, "SAFETENSORS_INDEX");
  const { value, duplicates } = parseStrictJson(text, `The index ${name}`, "SAFETENSORS_INDEX");
  const map = value instanceof Map ? value.get("weight_map") : undefined;
  if (!(value instanceof Map) || !(map instanceof Map)) throw malformed('has no object "weight_map"');
  checkLimit(limits, "tensors", map.size, `Tensors in ${name}`);
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of map) {
    if (typeof file !== "string") throw malformed(`gives the tensor ${quoted(tensor)} no file name`);
    weightMap.set(tensor, file);
  }
  for (const file of new Set(weightMap.values())) checkShardName(file, name);
  const [twice] = duplicates;
  if (twice && strict) throw malformed(`has the key ${quoted(twice.key)} twice`);
  const findings: Finding[] = twice
    ? [
        {
          rule: "safetensors-duplicate-key",
          severity: "warning",
          message: `The index has ${duplicates.length} keys twice, the first of them ${quoted(twice.key)}; the last one counts.`,
        },
      ]
    : [];
  const declared = value.get("metadata");
  const metadata = new Map<string, string>();
  if (declared instanceof Map) for (const [key, entry] of declared) if (typeof entry === "string") metadata.set(key, entry);
  const totalSize = declared instanceof Map ? declared.get("total_size") : undefined;
  return { weightMap, totalSize: typeof totalSize === "number" ? totalSize : undefined, metadata, findings };
}

/**
 * A shard lies beside its index, or in a folder there. Names that lead elsewhere, also when they are put into a URL, are
 * none that any writer makes.
 */
function checkShardName(file: string, index: string): void {
  if (leadsElsewhere(file)) {
    throw new CheckpointLoadError(
      "SAFETENSORS_INDEX",
      `The index ${index} names the shard ${quoted(file)}, which is not a file beside it.`,
      {
        details: { shard: file.slice(0, 1000) },
      },
    );
  }
  if (file.endsWith(".safetensors")) return;
  throw new CheckpointLoadError(
    "UNSUPPORTED_FORMAT",
    `The index ${index} names the shard ${quoted(file)}; sharded checkpoints are read where their shards are safetensors.`,
    { details: { shard: file.slice(0, 1000) }, suggestions: ["Open the shards one by one."] },
  );
}
