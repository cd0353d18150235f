import type { TensorData } from "@ckptkit/core";
import type { StageOptions } from "@ckptkit/core/pipeline";
import { type Channels, eachRun } from "./channels.js";
import { belowBorder, type CountElements, type MagnitudeBorder } from "./magnitude.js";
import { mappedTensor } from "./mapped-tensor.js";
import { type CastKernel, eachBlock, type FloatTensor, type Numbers, precisionOf } from "./numbers.js";

/** The exponent of a norm. */
export type NormOrder = number | "inf" | "-inf";

/** A tensor with 0 in place of what is below a border. `index` is its place among the tensors that the border was found for. */
export function prunedBelow(tensor: FloatTensor, index: number, border: MagnitudeBorder, kernels: CastKernel): TensorData {
  return mappedTensor(tensor, tensor.dtype, kernels, (numbers, first) => {
    const isBelow = belowBorder(border, index, numbers, first);
    for (let i = 0; i < numbers.length; i++) if (isBelow(i)) numbers[i] = 0;
  });
}

/** A tensor with 0 in whole slices of an axis. */
export function prunedChannels(tensor: FloatTensor, channels: Channels, pruned: ReadonlySet<number>, kernels: CastKernel): TensorData {
  return mappedTensor(tensor, tensor.dtype, kernels, (numbers, first) => {
    eachRun(channels, first, numbers.length, (channel, from, to) => {
      if (pruned.has(channel)) numbers.fill(0, from, to);
    });
  });
}

/** What one pass found of every slice of an axis. */
export interface ChannelNorms {
  /** What the slices are ordered by: of a p-norm its p-th power, which has the same order. */
  readonly norms: Float64Array;
  readonly zeros: Float64Array;
}

/** Finds the norms of a tensor's slices, summed in float64, in one pass. */
export async function channelNorms(
  tensor: FloatTensor,
  channels: Channels,
  order: NormOrder,
  kernels: CastKernel,
  onElements: CountElements,
  options: StageOptions,
): Promise<ChannelNorms> {
  const norms = new Float64Array(channels.count).fill(order === "-inf" ? Number.POSITIVE_INFINITY : 0);
  const zeros = new Float64Array(channels.count);
  const add = norm(order);
  await eachBlock(
    tensor,
    precisionOf(tensor.dtype),
    kernels,
    (numbers, first) => {
      eachRun(channels, first, numbers.length, (channel, from, to) => {
        norms[channel] = add(norms[channel] ?? 0, numbers, from, to);
        let none = 0;
        for (let i = from; i < to; i++) if (numbers[i] === 0) none++;
        zeros[channel] = (zeros[channel] ?? 0) + none;
      });
      onElements(numbers.length);
    },
    options,
  );
  return { norms, zeros };
}

type AddToNorm = (sum: number, numbers: Numbers, from: number, to: number) => number;

function norm(order: NormOrder): AddToNorm {
  const each =
    (combine: (sum: number, magnitude: number) => number): AddToNorm =>
    (sum, numbers, from, to) => {
      let result = sum;
      for (let i = from; i < to; i++) result = combine(result, Math.abs(numbers[i] ?? 0));
      return result;
    };
  if (order === "inf") return each(Math.max);
  if (order === "-inf") return each(Math.min);
  if (order === 1) return each((sum, magnitude) => sum + magnitude);
  if (order === 2) return each((sum, magnitude) => sum + magnitude * magnitude);
  return each((sum, magnitude) => sum + magnitude ** order);
}

/** The `count` slices of the smallest norms; of equal ones the first. NaN is larger than any number. */
export function smallestChannels(norms: Float64Array, count: number): Set<number> {
  const rank = (channel: number): number => {
    const value = norms[channel] ?? 0;
    return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
  };
  const byNorm = Array.from(norms.keys()).sort((a, b) => {
    const [first, second] = [rank(a), rank(b)];
    return first < second ? -1 : first > second ? 1 : a - b;
  });
  return new Set(byNorm.slice(0, count));
}

/**
 * How many of `size` things to prune: a count, or a fraction rounded to nearest even, as Python's `round` does.
 *
 * @see torch/nn/utils/prune.py, _compute_nparams_toprune
 */
export function countToPrune(size: number, { amount, count }: { amount?: number | undefined; count?: number | undefined }): number {
  if (count !== undefined) return count;
  const exact = (amount ?? 0) * size;
  const below = Math.floor(exact);
  const rest = exact - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
