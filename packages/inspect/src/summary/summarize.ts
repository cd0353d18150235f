import type { Checkpoint, Finding, Layout, Severity } from "@ckptkit/core";
import { estimateMemory, type MemoryEstimate } from "../estimate-memory.js";
import { type Producer, producersOf } from "./producers.js";
import { type StorageUse, storageUse } from "./storage-use.js";
import { sumTensors, type TensorSums } from "./sums.js";
import { type TrainingState, trainingStateOf } from "./training-state.js";

/** What a checkpoint amounts to, as plain JSON. */
export interface CheckpointSummary {
  uri: string;
  format: string;
  layout: Layout;
  /** Bytes of the file, or of all files together. */
  byteLength: number;
  /** Software that the file names as its maker. */
  producers: Producer[];
  /** How the bytes of numbers lie in the file; absent where no tensor has bytes. */
  byteOrder?: "little" | "big" | "mixed";
  tensors: TensorSums;
  storages: StorageUse;
  training: TrainingState;
  memory: MemoryEstimate;
  findings: { total: number } & Record<Severity, number> & { byRule: { rule: string; severity: Severity; count: number }[] };
}

/**
 * Sums up a checkpoint from its description: sizes by dtype and group, ties and unused bytes, the training's state, memory that it
 * needs, findings. Reads nothing.
 *
 * @example
 * const { tensors, training } = summarizeCheckpoint(checkpoint);
 * `${tensors.parameters} parameters, saved in epoch ${training.epoch}`
 */
export function summarizeCheckpoint(checkpoint: Checkpoint): CheckpointSummary {
  const { uri, format, layout, byteLength, tensors, findings } = checkpoint;
  const byteOrder = byteOrderOf(checkpoint);
  return {
    uri,
    format,
    layout,
    byteLength,
    producers: producersOf(checkpoint),
    ...(byteOrder !== undefined && { byteOrder }),
    tensors: sumTensors(tensors),
    storages: storageUse(tensors),
    training: trainingStateOf(checkpoint),
    memory: estimateMemory(checkpoint),
    findings: countFindings(findings),
  };
}

function byteOrderOf({ tensors }: Checkpoint): CheckpointSummary["byteOrder"] {
  let order: CheckpointSummary["byteOrder"];
  for (const { storage } of tensors) {
    if (!storage) continue;
    const own = storage.bigEndian ? "big" : "little";
    if (order !== undefined && order !== own) return "mixed";
    order = own;
  }
  return order;
}

function countFindings(findings: readonly Finding[]): CheckpointSummary["findings"] {
  const counts = { total: findings.length, error: 0, warning: 0, info: 0 };
  const rules = new Map<string, { rule: string; severity: Severity; count: number }>();
  for (const { rule, severity } of findings) {
    counts[severity]++;
    const entry = rules.get(`${severity} ${rule}`) ?? { rule, severity, count: 0 };
    entry.count++;
    rules.set(`${severity} ${rule}`, entry);
  }
  return { ...counts, byRule: [...rules.values()].sort((a, b) => b.count - a.count) };
}
