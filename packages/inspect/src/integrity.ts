import {
  type Checkpoint,
  CheckpointIntegrityError,
  type CrcWatch,
  type Kernels,
  type SignalOptions,
  type TensorHandle,
  watchCrc,
} from "@ckptkit/core";
import { CRC_RULE } from "@ckptkit/formats";

/**
 * Checks the CRC-32 of every storage behind some tensors while their bytes are being read for another reason. Call
 * `finish` when that is done: it reads what has not gone by, and throws on the first mismatch.
 *
 * @throws {CheckpointIntegrityError} CRC_MISMATCH, at once when the checkpoint's own description is damaged
 */
export function watchIntegrity(
  checkpoint: Checkpoint,
  tensors: readonly TensorHandle[],
  kernels: Kernels,
): { finish(options?: SignalOptions): Promise<void>; cancel(): void } {
  refuseDamaged(checkpoint);
  const watches = new Map<string, CrcWatch>();
  for (const { storage } of tensors) {
    if (!storage) continue;
    const watch = watchCrc(storage, kernels);
    if (watch) watches.set(storage.id, watch);
  }
  return {
    async finish(options) {
      for (const [id, watch] of watches) {
        await watch.finish(options);
        watches.delete(id);
      }
    },
    cancel() {
      for (const watch of watches.values()) watch.cancel();
      watches.clear();
    },
  };
}

/** @throws {CheckpointIntegrityError} CRC_MISMATCH when the checkpoint's own description does not have the CRC-32 that was recorded for it */
export function refuseDamaged(checkpoint: Checkpoint): void {
  const damaged = checkpoint.findings.find(({ rule }) => rule === CRC_RULE);
  if (damaged) {
    throw new CheckpointIntegrityError("CRC_MISMATCH", damaged.message, {
      details: { record: damaged.at },
      suggestions: ["Fetch the file again, or compare it with a copy.", "To go on all the same, turn the check off (--no-crc)."],
    });
  }
}
