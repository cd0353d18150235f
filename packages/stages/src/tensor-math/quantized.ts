import { CheckpointValidationError, type TensorData } from "@ckptkit/core";
import type { StageOptions } from "@ckptkit/core/pipeline";
import { type Channels, channelsOf, eachRun } from "./channels.js";
import type { CountElements } from "./magnitude.js";
import { mappedTensor } from "./mapped-tensor.js";
import { type CastKernel, eachBlock, type FloatTensor, type Numbers } from "./numbers.js";

/** How to quantise. */
export interface Quantizer {
  readonly qmin: number;
  readonly qmax: number;
  /** Undefined: one scale for the whole tensor. */
  readonly axis: number | undefined;
}

/** The scales of a tensor: value = integer x scale. */
export interface Scales {
  readonly values: Float32Array;
  /** Broadcasts over the tensor's. */
  readonly shape: readonly number[];
  readonly channels: Channels;
}

/** The smallest normal float32 (IEEE 754-2019, table 3.5): the inverse of anything smaller may be infinite. */
const SMALLEST_SCALE = 2 ** -126;

/**
 * Adding and taking away 1.5 x 2^23 rounds a float32 within +-2^22 to the nearest integer, ties to even, because numbers of that size
 * have no fractions.
 */
const ROUNDER = 12_582_912;

/**
 * Finds the scales of a tensor in one pass.
 *
 * @throws {CheckpointValidationError} NOT_FINITE, UNSUPPORTED_SHAPE
 */
export async function findScales(
  tensor: FloatTensor,
  name: string,
  { qmin, qmax, axis }: Quantizer,
  kernels: CastKernel,
  onElements: CountElements,
  options: StageOptions,
): Promise<Scales> {
  const { channels, shape } = layoutOf(tensor, name, axis);
  const largest = new Float32Array(channels.count);
  await eachBlock(
    tensor,
    "F32",
    kernels,
    (numbers, first) => {
      eachRun(channels, first, numbers.length, (channel, from, to) => {
        largest[channel] = largestMagnitude(numbers, from, to, largest[channel] ?? 0);
      });
      onElements(numbers.length);
    },
    options,
  );
  if (!largest.every(Number.isFinite)) {
    throw new CheckpointValidationError(
      "NOT_FINITE",
      `${JSON.stringify(name)} holds NaN or infinities (or values beyond float32), which have no 8-bit integers.`,
      { details: { name }, suggestions: ["Look for the damaged values with: ckpt scan", "Leave the tensor out with exclude."] },
    );
  }
  const values = largest.map((value) => (value === 0 ? 1 : Math.max(SMALLEST_SCALE, value / Math.min(-qmin, qmax))));
  return { values, shape, channels };
}

function layoutOf(tensor: FloatTensor, name: string, axis: number | undefined): { channels: Channels; shape: readonly number[] } {
  if (axis === undefined) return { channels: { count: 1, inner: Number.POSITIVE_INFINITY, size: 0 }, shape: [1] };
  const channels = channelsOf(tensor.shape, axis);
  if (!channels) {
    throw new CheckpointValidationError(
      "UNSUPPORTED_SHAPE",
      `${JSON.stringify(name)} has the shape [${tensor.shape.join(", ")}], and so no axis ${axis} to have a scale for each place of.`,
      { details: { name, shape: tensor.shape, axis }, suggestions: ["Leave it out with exclude.", "Use the scheme per_tensor."] },
    );
  }
  const at = axis < 0 ? axis + tensor.shape.length : axis;
  return { channels, shape: tensor.shape.map((size, each) => (each === at ? size : 1)) };
}

/** The largest |x| of a run and of what came before; NaN once there was one. */
function largestMagnitude(numbers: Numbers, from: number, to: number, before: number): number {
  let largest = before;
  for (let i = from; i < to; i++) {
    const magnitude = Math.abs(numbers[i] ?? 0);
    // Also true when either side is NaN, which then stays.
    if (!(magnitude <= largest)) largest = Number.isNaN(largest) ? largest : magnitude;
  }
  return largest;
}

/**
 * A tensor as 8-bit integers, computed when it is read. As torch does, values are multiplied in float32 by the inverse of the scale
 * and rounded to nearest even; then they are held within [qmin, qmax].
 *
 * @see https://github.com/pytorch/FBGEMM/blob/main/include/fbgemm/QuantUtils.h Quantize
 */
export function quantizedTensor(
  tensor: FloatTensor,
  { values, channels }: Scales,
  { qmin, qmax }: Quantizer,
  kernels: CastKernel,
): TensorData {
  const inverses = values.map((scale) => 1 / scale);
  return mappedTensor(tensor, "I8", kernels, (numbers, first) => {
    eachRun(channels, first, numbers.length, (channel, from, to) => {
      const inverse = inverses[channel] ?? 0;
      for (let i = from; i < to; i++) {
        const rounded = Math.fround(Math.fround(Math.fround((numbers[i] ?? 0) * inverse) + ROUNDER) - ROUNDER);
        numbers[i] = Math.min(qmax, Math.max(qmin, rounded));
      }
    });
  });
}
