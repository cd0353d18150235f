import { type Checkpoint, DTYPES, isDType } from "@ckptkit/core";
import { TieGroups } from "./tie-groups.js";

/** Bytes that a model's weights need in memory. Activations, and what a framework adds, are not in it. */
export interface MemoryEstimate {
  /** The weights in the dtypes of the file. */
  inferenceBytes: number;
  /** The weights cast to one dtype; integers, booleans and complex numbers as they are. Scales of I8 are not in it. */
  inferenceBytesAs: Record<"F32" | "BF16" | "F16" | "I8", number>;
  /**
   * Training with Adam in float32: weights, gradients and both moments, 16 bytes a floating-point parameter; other weights as they
   * are.
   */
  adamTrainingBytes: number;
  /** What {@link adamTrainingBytes} is made of. */
  adamTraining: { weights: number; gradients: number; moments: number };
  /** What the figures take for granted, in sentences. */
  assumptions: string[];
}

const FLOAT32_BYTES = 4;

const ASSUMPTIONS = [
  "Only the model's weights count, tied weights once; the file's optimizer states and other tensors do not.",
  "Inference: activations, caches of attention and what a framework adds come on top.",
  "Training: float32 weights, gradients and two moments for every floating-point parameter, none of them frozen; activations come on top.",
];

/**
 * Estimates the memory that a checkpoint's model needs, from its headers. Tied weights count once.
 *
 * @example const { inferenceBytes } = estimateMemory(checkpoint); formatSize(inferenceBytes)
 */
export function estimateMemory(checkpoint: Checkpoint): MemoryEstimate {
  let inferenceBytes = 0;
  /** Floating-point parameters, and bytes of everything else. */
  let floats = 0;
  let otherBytes = 0;
  const ties = new TieGroups();
  for (const tensor of checkpoint.tensors) {
    if (tensor.group !== "model" || !ties.add(tensor)) continue;
    inferenceBytes += tensor.byteLength;
    if (isWeight(tensor.dtype)) floats += tensor.elementCount;
    else otherBytes += tensor.byteLength;
  }
  const as = (bytes: number): number => floats * bytes + otherBytes;
  const adamTraining = { weights: as(FLOAT32_BYTES), gradients: floats * FLOAT32_BYTES, moments: 2 * floats * FLOAT32_BYTES };
  return {
    inferenceBytes,
    inferenceBytesAs: { F32: as(4), BF16: as(2), F16: as(2), I8: as(1) },
    adamTrainingBytes: adamTraining.weights + adamTraining.gradients + adamTraining.moments,
    adamTraining,
    assumptions: [...ASSUMPTIONS],
  };
}

/** Whether elements stand for real numbers: floats, quantised ones, and the block dtypes of formats of their own. */
function isWeight(dtype: string): boolean {
  return !isDType(dtype) || DTYPES[dtype].kind === "float" || DTYPES[dtype].kind === "quantized";
}
