import { bitsOf, type Checkpoint, type KernelResult, type Kernels, SCAN_PART_BYTES, type ScanResult } from "@ckptkit/core";
import { runWork, tensorItems, type WorkOptions } from "./run-work.js";
import { scannableTensors } from "./scannable-tensors.js";
import type { SelectTensor } from "./select.js";

/** What to scan, and with what. */
export interface ScanOptions extends WorkOptions {
  /** All tensors when left out. */
  select?: SelectTensor | undefined;
  /** Told of each tensor as soon as it is known: about in the order of the file. */
  onTensor?: ((row: ScanRow) => void) | undefined;
}

/** One tensor's numbers. Complex elements count as two numbers each. */
export interface ScanRow extends ScanResult {
  path: string;
  dtype: string;
  /** Index of the first element that is or has a NaN or infinity, row-major; left out when there is none. See {@link findNonFinite}. */
  firstNonFinite?: number;
}

/** What `ckpt scan --json` prints, apart from `uri`. */
export interface ScanReport {
  tensors: ScanRow[];
  /** Sums over the rows; tied tensors count each time they are listed. */
  totals: { tensors: number; count: number; nan: number; posInf: number; negInf: number; zeros: number };
  /** Tensors whose values cannot be scanned, and why. */
  skipped: { path: string; dtype: string; reason: string }[];
}

/**
 * Counts NaN, infinities and zeros and computes minimum, maximum, mean and standard deviation of every tensor, in one pass
 * over the file and constant memory: on this thread, or in the workers of a pool, with the same results to the last bit.
 *
 * @example
 * const { totals } = await scanCheckpoint(checkpoint, { kernels: await loadKernels() });
 * if (totals.nan > 0) throw new Error("the training has diverged");
 */
export async function scanCheckpoint(checkpoint: Checkpoint, options: ScanOptions): Promise<ScanReport> {
  const { chosen, skipped } = scannableTensors(checkpoint, options.select);
  const { kernels, onTensor } = options;
  const tensors: ScanRow[] = [];
  const items = tensorItems(
    chosen.map(({ numbers }) => numbers),
    (index) => ({ kind: "scan", dtype: chosen[index]?.as ?? "U8" }),
    (same, results) => {
      const { numbers, firstNonFinite } = mergeParts(kernels, results);
      for (const { tensor: read, index } of same) {
        const element = firstNonFinite === undefined ? {} : { firstNonFinite: Math.floor(firstNonFinite / (bitsOf(read.spec) / 8)) };
        const row = { path: read.path, dtype: chosen[index]?.tensor.dtype ?? read.dtype, ...numbers, ...element };
        tensors[index] = row;
        onTensor?.(row);
      }
    },
  );
  await runWork("scan", items, options);
  const totals = { tensors: tensors.length, count: 0, nan: 0, posInf: 0, negInf: 0, zeros: 0 };
  for (const row of tensors) for (const key of ["count", "nan", "posInf", "negInf", "zeros"] as const) totals[key] += row[key];
  return { tensors, totals, skipped };
}

/** The statistics of a tensor from those of its parts, and the byte where its first NaN or infinity begins. */
function mergeParts(kernels: Kernels, results: readonly KernelResult[]): { numbers: ScanResult; firstNonFinite: number | undefined } {
  const parts = results.flatMap((result) => (result.kind === "scan" ? [result] : []));
  const at = parts.findIndex(({ firstNonFinite }) => firstNonFinite !== undefined);
  const first = parts[at]?.firstNonFinite;
  return {
    numbers: kernels.mergeScans(parts.map(({ part }) => part)),
    firstNonFinite: first === undefined ? undefined : at * SCAN_PART_BYTES + first,
  };
}
