import {
  CheckpointConfigError,
  type Kernels,
  type OperationOptions,
  SCAN_DTYPES,
  type ScanDType,
  type Scanner,
  type TensorHandle,
} from "@ckptkit/core";
import { ElementReader } from "./element-reader.js";
import { type Bins, layBins, NumberTally } from "./number-tally.js";
import { Passes } from "./passes.js";
import { PatternCounts } from "./pattern-counts.js";

/** How the numbers of one tensor are distributed. Complex elements count as two numbers each; quantised ones as real numbers. */
export interface TensorHistogram {
  path: string;
  dtype: string;
  /** Numbers that were looked at. */
  count: number;
  finite: number;
  nan: number;
  posInf: number;
  negInf: number;
  /** Zeros of either sign. */
  zeros: number;
  /** Smallest and largest finite number; null when there is none. */
  min: number | null;
  max: number | null;
  /** Edges of the bins, one more than there are bins; empty when there are no finite numbers and no range was given. */
  edges: number[];
  /** Numbers in each bin: at its lower edge and above, and below its upper edge; the last one takes its upper edge too. */
  counts: number[];
  /** Finite numbers outside of a range that was given. */
  below: number;
  above: number;
  /** Finite numbers other than 0 by floor(log2(|x|)), from the smallest exponent that occurs to the largest. */
  magnitudes: { exponent: number; positive: number; negative: number }[];
  /** What was looked at of a larger tensor, in bytes; null when it was all of it. */
  sampled: { bytes: number; ofBytes: number } | null;
  /** Bytes of the file that were read. */
  bytesRead: number;
}

/** How to count. */
export interface HistogramOptions extends OperationOptions {
  /** Default 64; 65,536 at the most. */
  bins?: number | undefined;
  /** From the lowest edge to the highest; by default from the smallest finite number to the largest. */
  range?: "auto" | readonly [number, number] | undefined;
  /** Of a larger tensor only about so many bytes are read, at equal distances. All when left out. */
  sampleBytes?: number | undefined;
  /** Make the search for the range faster. */
  kernels?: Kernels | undefined;
}

const USUAL_BINS = 64;
const MOST_BINS = 65_536;

/**
 * Counts the numbers of a tensor by value, in equal bins as numpy.histogram does, and by magnitude. One pass over its bytes where
 * elements have 16 bits or fewer or a range is given, else two; constant memory.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE
 * @throws {CheckpointLoadError} NO_TENSORS when the tensor has no bytes in the file
 * @example const { edges, counts, nan } = await histogram(tensor, { bins: 100, sampleBytes: 64 * 1024 * 1024 });
 */
export async function histogram(tensor: TensorHandle, options: HistogramOptions = {}): Promise<TensorHistogram> {
  const { bins: binCount, range, sampleBytes } = checkOptions(options);
  const reader = await ElementReader.open(tensor, options);
  const passes = new Passes(reader, sampleBytes, options);
  let bins = range && layBins(range[0], range[1], binCount);
  let tally: NumberTally;
  if (PatternCounts.suits(reader)) {
    const patterns = new PatternCounts(reader);
    await passes.run(1, ({ bytes }) => patterns.add(bytes));
    if (!bins) {
      const bare = new NumberTally(undefined);
      patterns.tellTo(bare);
      bins = autoBins(bare.min, bare.max, binCount);
    }
    tally = new NumberTally(bins);
    patterns.tellTo(tally);
  } else {
    bins ??= await findBins(passes, binCount, options.kernels);
    tally = new NumberTally(bins);
    await passes.run(range ? 1 : 2, ({ bytes, count, first }) => reader.decodeBlocks(bytes, count, first, (numbers) => tally.add(numbers)));
  }
  const { count, nan, posInf, negInf, zeros, below, above } = tally;
  const finite = count - nan - posInf - negInf;
  return {
    path: tensor.path,
    dtype: tensor.dtype,
    count,
    finite,
    nan,
    posInf,
    negInf,
    zeros,
    min: finite > 0 ? tally.min + 0 : null,
    max: finite > 0 ? tally.max + 0 : null,
    edges: [...(bins?.edges ?? [])],
    counts: [...tally.counts],
    below,
    above,
    magnitudes: tally.magnitudes(),
    sampled: passes.bytes < reader.tensor.byteLength ? { bytes: passes.bytes, ofBytes: reader.tensor.byteLength } : null,
    bytesRead: reader.bytesRead,
  };
}

function checkOptions({ bins = USUAL_BINS, range, sampleBytes }: HistogramOptions) {
  const invalid = (message: string): CheckpointConfigError =>
    new CheckpointConfigError("INVALID_ARGUMENT", message, { details: { bins, range, sampleBytes } });
  if (!Number.isSafeInteger(bins) || bins < 1 || bins > MOST_BINS)
    throw invalid(`bins is ${bins}: a whole number from 1 to ${MOST_BINS} was expected.`);
  if (sampleBytes !== undefined && !(sampleBytes > 0)) throw invalid(`sampleBytes is ${sampleBytes}: a number of bytes was expected.`);
  if (range === undefined || range === "auto") return { bins, range: undefined, sampleBytes };
  if (!Number.isFinite(range[0]) || !Number.isFinite(range[1]) || range[0] > range[1]) {
    throw invalid(`The range is [${range[0]}, ${range[1]}]: two numbers, the smaller first, were expected.`);
  }
  return { bins, range, sampleBytes };
}

const autoBins = (min: number, max: number, count: number): Bins | undefined => (min <= max ? layBins(min, max, count) : undefined);

const isScanDType = (dtype: string): dtype is ScanDType => (SCAN_DTYPES as readonly string[]).includes(dtype); // a wider type, to ask

/** Finds the smallest and largest finite number in a pass of its own. */
async function findBins(passes: Passes, count: number, kernels: Kernels | undefined): Promise<Bins | undefined> {
  const { reader } = passes;
  const { dtype, spec } = reader.tensor;
  if (kernels && isScanDType(dtype) && !spec.quantization) {
    let scanner: Scanner | undefined;
    try {
      scanner = kernels.scanner(dtype);
      const scan = scanner;
      await passes.run(2, ({ bytes }) => scan.update(bytes));
      const { min, max } = scan.result();
      return min === null || max === null ? undefined : layBins(min, max, count);
    } finally {
      scanner?.free();
    }
  }
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  await passes.run(2, ({ bytes, count: elements, first }) =>
    reader.decodeBlocks(bytes, elements, first, (numbers) => {
      for (let i = 0; i < numbers.length; i++) {
        const x = numbers[i] ?? 0;
        if (x < min && x > Number.NEGATIVE_INFINITY) min = x;
        if (x > max && x < Number.POSITIVE_INFINITY) max = x;
      }
    }),
  );
  return autoBins(min, max, count);
}
