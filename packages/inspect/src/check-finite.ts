import { bitsOf, type Checkpoint, type KernelResult, SCAN_PART_BYTES, type TensorHandle } from "@ckptkit/core";
import { runWork, tensorItems, type WorkOptions } from "./run-work.js";
import type { ScanReport } from "./scan.js";
import { scannableTensors } from "./scannable-tensors.js";
import type { SelectTensor } from "./select.js";

/** What to look at, and with what. */
export interface CheckFiniteOptions extends WorkOptions {
  /** All tensors when left out. */
  select?: SelectTensor | undefined;
  /** Told of each tensor as soon as it is known: about in the order of the file. */
  onTensor?: ((row: FiniteRow) => void) | undefined;
}

/** How many of one tensor's numbers are not finite. Complex elements count as two numbers each. */
export interface FiniteRow {
  path: string;
  dtype: string;
  count: number;
  nan: number;
  posInf: number;
  negInf: number;
  /** Index of the first element that is or has a NaN or infinity, row-major; left out when there is none. See {@link findNonFinite}. */
  firstNonFinite?: number;
}

/** What `ckpt scan --finite --json` prints, apart from `uri`. */
export interface FiniteReport {
  tensors: FiniteRow[];
  /** Sums over the rows; tied tensors count each time they are listed. */
  totals: { tensors: number; count: number; nan: number; posInf: number; negInf: number };
  /** Tensors whose values cannot be looked at, and why. */
  skipped: ScanReport["skipped"];
}

/**
 * Counts the NaNs and infinities of every tensor, and computes nothing else: several times as fast as {@link scanCheckpoint} where numbers have 16
 * bits. One pass over the file in constant memory, on this thread or in the workers of a pool.
 *
 * @example
 * const { totals } = await checkFinite(checkpoint, { kernels: await loadKernels() });
 * if (totals.nan > 0) throw new Error("the training has diverged");
 */
export async function checkFinite(checkpoint: Checkpoint, options: CheckFiniteOptions): Promise<FiniteReport> {
  const { chosen, skipped } = scannableTensors(checkpoint, options.select);
  const tensors: FiniteRow[] = [];
  const items = tensorItems(
    chosen.map(({ numbers }) => numbers),
    (index) => ({ kind: "finite", dtype: chosen[index]?.as ?? "U8" }),
    (same, results) => {
      for (const { tensor: read, index } of same) {
        const row = { path: read.path, dtype: chosen[index]?.tensor.dtype ?? read.dtype, ...addParts(read, results) };
        tensors[index] = row;
        options.onTensor?.(row);
      }
    },
  );
  await runWork("scan", items, options);
  const totals = { tensors: tensors.length, count: 0, nan: 0, posInf: 0, negInf: 0 };
  for (const row of tensors) for (const key of ["count", "nan", "posInf", "negInf"] as const) totals[key] += row[key];
  return { tensors, totals, skipped };
}

function addParts(tensor: TensorHandle, results: readonly KernelResult[]): Omit<FiniteRow, "path" | "dtype"> {
  const sum: Omit<FiniteRow, "path" | "dtype"> = { count: 0, nan: 0, posInf: 0, negInf: 0 };
  for (const [part, result] of results.entries()) {
    if (result.kind !== "finite") continue;
    for (const key of ["count", "nan", "posInf", "negInf"] as const) sum[key] += result[key];
    if (result.firstNonFinite === undefined) continue;
    sum.firstNonFinite ??= Math.floor((part * SCAN_PART_BYTES + result.firstNonFinite) / (bitsOf(tensor.spec) / 8));
  }
  return sum;
}
