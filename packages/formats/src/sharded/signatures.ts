import type { FormatSignature, Probe } from "@ckptkit/core";

/** Whether a file looks like the index of a sharded checkpoint, of whatever kind. */
const isShardIndex = ({ head, name }: Probe): boolean =>
  /\.index\.json$/.test(name) || /^\s*\{[\s\S]*"weight_map"\s*:/.test(new TextDecoder().decode(head.slice(0, 4096)));

/** How sharded safetensors checkpoints are told: by an index, whose reader sees what it names. */
export const shardedSafetensorsSignature: FormatSignature = { format: "safetensors-sharded", matches: isShardIndex };

/** The same for checkpoints of torch. */
export const shardedTorchSignature: FormatSignature = { format: "torch-sharded", matches: isShardIndex };
