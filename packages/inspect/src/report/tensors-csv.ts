import type { Checkpoint } from "@ckptkit/core";
import type { ScanReport } from "../scan.js";
import type { SelectTensor } from "../select.js";
import { csvRecord } from "./csv.js";
import type { Cell } from "./markdown-table.js";

/** What stands in the table of tensors. */
export interface TensorsCsvOptions {
  /** All tensors when left out. */
  select?: SelectTensor | undefined;
  /** Adds the columns of a scan. */
  scan?: Pick<ScanReport, "tensors"> | undefined;
}

const COLUMNS = ["path", "name", "group", "dtype", "shape", "parameters", "bytes", "storage"];
const SCAN_COLUMNS = ["count", "nan", "posInf", "negInf", "zeros", "min", "max", "mean", "std"] as const;

/**
 * The tensors of a checkpoint as CSV (RFC 4180), record by record: a title line, and a line for each tensor. Reads nothing.
 *
 * @example const csv = [...tensorsCsv(checkpoint)].join("");
 */
export function* tensorsCsv(checkpoint: Checkpoint, { select, scan }: TensorsCsvOptions = {}): Generator<string, void, void> {
  yield csvRecord(scan ? [...COLUMNS, ...SCAN_COLUMNS] : COLUMNS);
  const rows = new Map<string, ScanReport["tensors"]>();
  // Tensors may share a path: the rows of one stand in the order of the tensors.
  for (const row of scan?.tensors ?? []) {
    const list = rows.get(row.path);
    if (list) list.push(row);
    else rows.set(row.path, [row]);
  }
  for (const tensor of checkpoint.tensors) {
    if (select && !select(tensor)) continue;
    const { path, name, group, dtype, shape, elementCount, byteLength, storage } = tensor;
    const cells: Cell[] = [path, name, group, dtype, shape.join("x"), elementCount, byteLength, storage?.id ?? null];
    if (scan) {
      const row = storage && rows.get(path)?.shift();
      cells.push(...SCAN_COLUMNS.map((column) => row?.[column] ?? null));
    }
    yield csvRecord(cells);
  }
}
