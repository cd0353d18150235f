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
import { decodeUtf8 } from "../safetensors/header.js";
import { parseStrictJson } from "../safetensors/strict-json.js";

/** A format that is stored in shards, and how it is spoken of. */
export interface ShardKind {
  /** As in `Checkpoint.format`. */
  readonly format: "safetensors-sharded" | "torch-sharded";
  /** The code of errors where index and shards do not agree. */
  readonly code: "SAFETENSORS_INDEX" | "TORCH_INDEX";
  /** What the rules of findings begin with. */
  readonly rules: "safetensors" | "torch";
  /** Whether a file has the suffix of these shards. */
  isShard(file: string): boolean;
  /** What shards of this kind are, for messages. */
  readonly what: string;
}

/** A `*.index.json` that was read and checked by itself. */
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
 * @throws {CheckpointLoadError} the kind's code, UNSUPPORTED_FORMAT for shards of another kind, LIMIT_EXCEEDED
 * @see https://huggingface.co/docs/safetensors/metadata_parsing (sharded checkpoints)
 */
export function* readShardIndex(
  source: ByteSource,
  kind: ShardKind,
  strict: boolean,
  limits: Limits,
  options?: SignalOptions,
): Reading<ShardIndex> {
  const { code } = kind;
  const { name } = source;
  checkLimit(limits, "headerBytes", source.size, `Size of the index ${name}`);
  const malformed = (why: string): CheckpointLoadError => new CheckpointLoadError(code, `The index ${name} ${why}.`);
  const text = decodeUtf8(yield* readStep(source, 0, source.size, options), `The index ${name}`, code);
  const { value, duplicates } = parseStrictJson(text, `The index ${name}`, code);
  const map = value instanceof Map ? value.get("weight_map") : undefined;
  if (!(value instanceof Map) || !(map instanceof Map)) throw malformed('has no object "weight_map"');
  checkLimit(limits, "tensors", map.size, `Tensors in ${name}`);
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of map) {
    if (typeof file !== "string") throw malformed(`gives the tensor ${quoted(tensor)} no file name`);
    weightMap.set(tensor, file);
  }
  const shards = new Set(weightMap.values());
  checkLimit(limits, "files", shards.size, `Shards of ${name}`);
  for (const file of shards) checkShardName(file, name, kind);
  const [twice] = duplicates;
  if (twice && strict) throw malformed(`has the key ${quoted(twice.key)} twice`);
  const findings: Finding[] = twice
    ? [
        {
          rule: `${kind.rules}-duplicate-key`,
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

/** A shard lies beside its index, or in a folder there. */
function checkShardName(file: string, index: string, kind: ShardKind): void {
  if (leadsElsewhere(file)) {
    throw new CheckpointLoadError(kind.code, `The index ${index} names the shard ${quoted(file)}, which is not a file beside it.`, {
      details: { shard: file.slice(0, 1000) },
    });
  }
  if (kind.isShard(file)) return;
  throw new CheckpointLoadError(
    "UNSUPPORTED_FORMAT",
    `The index ${index} names the shard ${quoted(file)}; sharded checkpoints are read where their shards are ${kind.what}.`,
    { details: { shard: file.slice(0, 1000) }, suggestions: ["Open the shards one by one."] },
  );
}
