import { countElements, type Progress } from "@ckptkit/core";
import type { StageOptions } from "@ckptkit/core/pipeline";
import { type CastKernel, eachBlock, type FloatTensor, type Numbers, type Precision, precisionOf } from "./numbers.js";

/**
 * The border between the smallest magnitudes and the rest. Magnitudes are compared by their bits without the sign, which order
 * numbers by |x| (IEEE 754-2019, clause 3.4) with NaN above infinity; elements that are equal, by their place: the first ones are below.
 */
export interface MagnitudeBorder {
  readonly precision: Precision;
  /** Upper (or only) 32 bits of the border's magnitude. */
  readonly high: number;
  /** Lower 32 bits; 0 where the precision is F32. */
  readonly low: number;
  /** Elements of this very magnitude are below the border as long as they stand before this place. */
  readonly tensor: number;
  readonly element: number;
}

/** What one pass found of a tensor. */
export interface BelowBorder {
  /** Elements below the border. */
  below: number;
  /** Elements that are below the border, or 0 in any case. */
  zeros: number;
}

/** How often {@link findBorder} and then {@link countBelow} read the tensors. */
export const passesToPrune = (tensors: readonly FloatTensor[]): number => wordsIn(precisionIn(tensors)) + 2;

/** Float32 compares with float64 exactly, so one F64 tensor among others makes all of them be read as float64. */
const precisionIn = (tensors: readonly FloatTensor[]): Precision =>
  tensors.some(({ dtype }) => precisionOf(dtype) === "F64") ? "F64" : "F32";

const wordsIn = (precision: Precision): number => (precision === "F64" ? 4 : 2);

const WORD_VALUES = 65_536;
const SIGN = 0x7fff_ffff;

/** How far passes over tensors have come, in elements. */
export type CountElements = (elements: number) => void;

/**
 * Finds the border below which exactly `count` of the tensors' elements lie, in constant memory: a histogram of the upper 16 bits
 * of the magnitudes, then of the next 16 bits of those at the border, and so on (two passes for float32, four with F64), and one
 * more pass to find the place within equal magnitudes.
 *
 * @param tensors in the order in which equal magnitudes are taken.
 * @param count within 1 and the number of elements.
 */
export async function findBorder(
  tensors: readonly FloatTensor[],
  count: number,
  kernels: CastKernel,
  options: StageOptions,
  onElements: CountElements,
): Promise<MagnitudeBorder> {
  const precision = precisionIn(tensors);
  const words: number[] = [];
  let rest = count;
  for (let pass = 0; pass < wordsIn(precision); pass++) {
    const histogram = new Float64Array(WORD_VALUES);
    const wordOf = nextWord(words);
    for (const tensor of tensors) {
      await eachMagnitude(tensor, precision, kernels, options, onElements, (high, low) => {
        const word = wordOf(high, low);
        if (word >= 0) histogram[word] = (histogram[word] ?? 0) + 1;
      });
    }
    let word = 0;
    while (word < WORD_VALUES - 1 && (histogram[word] ?? 0) < rest) rest -= histogram[word++] ?? 0;
    words.push(word);
  }
  const [first = 0, second = 0, third = 0, fourth = 0] = words;
  const border = { precision, high: first * WORD_VALUES + second, low: third * WORD_VALUES + fourth } as const;
  return { ...border, ...(await placeOfEqual(tensors, border, rest, kernels, options, onElements)) };
}

/** The 16 bits behind those that are known, of a magnitude that begins with them; -1 of any other. */
function nextWord(known: readonly number[]): (high: number, low: number) => number {
  const [first = 0, second = 0, third = 0] = known;
  const both = first * WORD_VALUES + second;
  if (known.length === 0) return (high) => high >>> 16;
  if (known.length === 1) return (high) => (high >>> 16 === first ? high & 0xffff : -1);
  if (known.length === 2) return (high, low) => (high === both ? low >>> 16 : -1);
  return (high, low) => (high === both && low >>> 16 === third ? low & 0xffff : -1);
}

/** The place behind the `nth` element whose magnitude is the border's. */
async function placeOfEqual(
  tensors: readonly FloatTensor[],
  { precision, high, low }: Pick<MagnitudeBorder, "precision" | "high" | "low">,
  nth: number,
  kernels: CastKernel,
  options: StageOptions,
  onElements: CountElements,
): Promise<{ tensor: number; element: number }> {
  let seen = 0;
  let place = { tensor: tensors.length, element: 0 };
  for (const [index, tensor] of tensors.entries()) {
    if (seen >= nth) onElements(countElements(tensor.shape));
    else {
      await eachMagnitude(tensor, precision, kernels, options, onElements, (itsHigh, itsLow, element) => {
        if (itsHigh === high && itsLow === low && ++seen === nth) place = { tensor: index, element: element + 1 };
      });
    }
  }
  return place;
}

/** Counts what is below a border in one of the tensors that it was found for. */
export async function countBelow(
  tensor: FloatTensor,
  index: number,
  border: MagnitudeBorder | undefined,
  kernels: CastKernel,
  options: StageOptions,
  onElements: CountElements,
): Promise<BelowBorder> {
  const found: BelowBorder = { below: 0, zeros: 0 };
  await eachBlock(
    tensor,
    border?.precision ?? precisionOf(tensor.dtype),
    kernels,
    (numbers, first) => {
      const isBelow = border && belowBorder(border, index, numbers, first);
      for (let i = 0; i < numbers.length; i++) {
        const below = isBelow?.(i) ?? false;
        if (below) found.below++;
        if (below || numbers[i] === 0) found.zeros++;
      }
      onElements(numbers.length);
    },
    options,
  );
  return found;
}

/** Tells of elements of a block whether they are below a border. `index` is the tensor's, `first` the block's place in it. */
export function belowBorder(border: MagnitudeBorder, index: number, numbers: Numbers, first: number): (at: number) => boolean {
  const { precision, high, low, tensor, element } = border;
  const equalEnd = index < tensor ? Number.POSITIVE_INFINITY : index === tensor ? element - first : 0;
  const words = new Uint32Array((precision === "F64" ? Float64Array : Float32Array).from(numbers).buffer);
  if (precision === "F32") {
    return (at) => {
      const its = (words[at] ?? 0) & SIGN;
      return its < high || (its === high && at < equalEnd);
    };
  }
  return (at) => {
    const itsHigh = (words[2 * at + 1] ?? 0) & SIGN;
    const itsLow = words[2 * at] ?? 0;
    if (itsHigh !== high) return itsHigh < high;
    return itsLow < low || (itsLow === low && at < equalEnd);
  };
}

/** The bits of every |x|: the upper 32 of float64, or all of float32, and the lower 32. */
async function eachMagnitude(
  tensor: FloatTensor,
  precision: Precision,
  kernels: CastKernel,
  options: StageOptions,
  onElements: CountElements,
  work: (high: number, low: number, element: number) => void,
): Promise<void> {
  await eachBlock(
    tensor,
    precision,
    kernels,
    (numbers, first) => {
      const words = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.byteLength / 4);
      if (precision === "F32") for (let i = 0; i < words.length; i++) work((words[i] ?? 0) & SIGN, 0, first + i);
      else for (let i = 0; i < numbers.length; i++) work((words[2 * i + 1] ?? 0) & SIGN, words[2 * i] ?? 0, first + i);
      onElements(numbers.length);
    },
    options,
  );
}

/** Adds up elements into progress reports whose `done` never exceeds `total`. */
export function elementProgress(phase: string, total: number, onProgress: ((progress: Progress) => void) | undefined): CountElements {
  let done = 0;
  return (elements) => {
    done = Math.min(total, done + elements);
    onProgress?.({ phase, done, total });
  };
}
