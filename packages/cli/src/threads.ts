import type { Checkpoint, KernelPool } from "@ckptkit/core";
import type { SelectTensor } from "@ckptkit/inspect";
import { type NodePlatformOptions, nodePlatform, workerPool } from "@ckptkit/node";
import type { WorkersFlags } from "./workers-option.js";

/**
 * The threads for work on some tensors; undefined where this thread is to do it. Whoever gets them closes them.
 *
 * @throws {CheckpointError} WORKERS_UNAVAILABLE when threads were asked for and cannot be started
 */
export async function poolFor(
  { workers }: WorkersFlags,
  { tensors }: Checkpoint,
  select: SelectTensor | undefined,
): Promise<KernelPool | undefined> {
  if (workers !== undefined) return workers > 1 ? workerPool({ size: workers }) : undefined;
  const byteLength = tensors.reduce((sum, tensor) => (select && !select(tensor) ? sum : sum + tensor.byteLength), 0);
  return nodePlatform().pool?.({ byteLength });
}

/** The threads of a pipeline's platform. */
export const platformWorkers = ({ workers }: WorkersFlags): NodePlatformOptions["workers"] =>
  workers === undefined ? undefined : workers > 1 && { size: workers, fromBytes: 0 };
