import { type Checkpoint, DTYPES, isDType } from "@ckptkit/core";
import { tieKeys } from "./tie-key.js";

/** Bytes that a model's weights need in memory. Activations, and what a framework adds, are not in it. */
export interface MemoryEstimate {
  /** The weights in the dtypes of the file. */
  inferenceBytes: number;
  /**
   * Training with Adam in float32: weights, gradients and both moments, 16 bytes a floating-point parameter; other weights as they
   * are.
   */
  adamTrainingBytes: number;
}

const ADAM_COPIES = 4;
const FLOAT32_BYTES = 4;

/**
 * Estimates the memory that a checkpoint's model needs, from its headers. Tied weights count once.
 *
 * @example const { inferenceBytes } = estimateMemory(checkpoint); formatSize(inferenceBytes)
 */
export function estimateMemory(checkpoint: Checkpoint): MemoryEstimate {
  const estimate: MemoryEstimate = { inferenceBytes: 0, adamTrainingBytes: 0 };
  const seen = new Set<string>();
  const keyOf = tieKeys();
  for (const tensor of checkpoint.tensors) {
    const key = keyOf(tensor.spec);
    if (tensor.group !== "model" || seen.has(key)) continue;
    seen.add(key);
    const isFloat = isDType(tensor.dtype) && DTYPES[tensor.dtype].kind === "float";
    estimate.inferenceBytes += tensor.byteLength;
    estimate.adamTrainingBytes += isFloat ? tensor.elementCount * FLOAT32_BYTES * ADAM_COPIES : tensor.byteLength;
  }
  return estimate;
}
