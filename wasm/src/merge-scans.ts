import { CheckpointError, type ScanPart, type ScanResult } from "@ckptkit/core";
import { byteScanResult, isByteDType } from "./byte-scan.js";
import { EMPTY_NODE, ScanTree } from "./js/scan-node.js";
import { addTotals, EMPTY_TOTALS, toScanResult } from "./scan-result.js";

/**
 * The result of a scan that was done in parts. A part of 2^k blocks is a branch of the tree in which a scanner adds up blocks, so parts
 * of one such size give what a single scanner gives, to the last bit.
 *
 * @throws {CheckpointError} INTERNAL when there are no parts, or parts of several dtypes.
 */
export function mergeScans(parts: readonly ScanPart[]): ScanResult {
  const dtype = parts[0]?.dtype;
  if (dtype === undefined) throw new CheckpointError("INTERNAL", "A scan without parts has no result.");
  const totals = { ...EMPTY_TOTALS };
  const counts = new Float64Array(256);
  const tree = new ScanTree();
  let last = EMPTY_NODE;
  for (const [index, part] of parts.entries()) {
    if (part.dtype !== dtype) throw new CheckpointError("INTERNAL", `Scans of ${dtype} and ${part.dtype} elements cannot be merged.`);
    if ("counts" in part) {
      for (let byte = 0; byte < 256; byte++) counts[byte] = (counts[byte] ?? 0) + (part.counts[byte] ?? 0);
      continue;
    }
    addTotals(totals, part);
    if (index < parts.length - 1) tree.push(part.node);
    else last = part.node;
  }
  if (isByteDType(dtype)) return byteScanResult(dtype, counts);
  const { k, mean, squares, n, unit } = tree.finish(last);
  return toScanResult(totals, { n, mean: (Number(k) + mean) / unit, std: n > 0 ? Math.sqrt(squares / n) / unit : 0 });
}
