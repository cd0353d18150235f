import {
  type Checkpoint,
  type Kernels,
  type OperationOptions,
  SCAN_DTYPES,
  type ScanDType,
  type ScanResult,
  type TensorHandle,
} from "@ckptkit/core";
import { eachTensor } from "./each-tensor.js";
import type { SelectTensor } from "./select.js";

/** What to scan, and with what. */
export interface ScanOptions extends OperationOptions {
  kernels: Kernels;
  /** All tensors when left out. */
  select?: SelectTensor | undefined;
}

/** One tensor's numbers. Complex elements count as two numbers each. */
export interface ScanRow extends ScanResult {
  path: string;
  dtype: string;
}

/** What `ckpt scan --json` prints, apart from `uri`. */
export interface ScanReport {
  tensors: ScanRow[];
  /** Sums over the rows; tied tensors count each time they are listed. */
  totals: { tensors: number; count: number; nan: number; posInf: number; negInf: number; zeros: number };
  /** Tensors whose values cannot be scanned, and why. */
  skipped: { path: string; dtype: string; reason: string }[];
}

/** Dtypes that are scanned as another that has the same bits: complex as pairs, quantised as the integers that are stored. */
const SCANNED_AS: Readonly<Record<string, ScanDType>> = { C128: "F64", C32: "F16", QINT8: "I8", QUINT8: "U8", QINT32: "I32" };

const isScanDType = (dtype: string): dtype is ScanDType => (SCAN_DTYPES as readonly string[]).includes(dtype);

/**
 * Counts NaN, infinities and zeros and computes minimum, maximum, mean and standard deviation of every tensor, in one pass
 * over the file and constant memory.
 *
 * @example
 * const { totals } = await scanCheckpoint(checkpoint, { kernels: await loadKernels() });
 * if (totals.nan > 0) throw new Error("the training has diverged");
 */
export async function scanCheckpoint(checkpoint: Checkpoint, options: ScanOptions): Promise<ScanReport> {
  const skipped: ScanReport["skipped"] = [];
  const chosen: { tensor: TensorHandle; as: ScanDType }[] = [];
  for (const tensor of checkpoint.tensors) {
    if (options.select && !options.select(tensor)) continue;
    const as = isScanDType(tensor.dtype) ? tensor.dtype : SCANNED_AS[tensor.dtype];
    const reason = tensor.storage ? (as ? undefined : `values of ${tensor.dtype} cannot be scanned`) : "it has no bytes in the file";
    if (reason !== undefined) skipped.push({ path: tensor.path, dtype: tensor.dtype, reason });
    else if (as) chosen.push({ tensor, as });
  }
  const dtypes = new Map(chosen.map(({ tensor, as }) => [tensor, as]));
  const results = await eachTensor(
    "scan",
    chosen.map(({ tensor }) => tensor),
    options.kernels,
    (tensor) => options.kernels.scanner(dtypes.get(tensor) ?? "U8"),
    options,
  );
  const tensors = chosen.map(({ tensor }, index) => ({ path: tensor.path, dtype: tensor.dtype, ...(results[index] as ScanResult) })); // one result a tensor
  const totals = { tensors: tensors.length, count: 0, nan: 0, posInf: 0, negInf: 0, zeros: 0 };
  for (const row of tensors) for (const key of ["count", "nan", "posInf", "negInf", "zeros"] as const) totals[key] += row[key];
  return { tensors, totals, skipped };
}
