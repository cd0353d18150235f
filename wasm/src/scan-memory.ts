import type { ScanDType, ScanPart } from "@ckptkit/core";
import { UNIT, UNIT_OF_HUGE, UNIT_OF_TINY } from "./js/scan-node.js";

/** Bytes of a scan's state: assembly/scan-state.ts. */
export const SCAN_STATE_BYTES = 12416;
/** There: the number of whole blocks, the nodes by level, and the node of the last block. */
const SCAN_BLOCKS = 88;
const SCAN_NODES = 128;
const SCAN_NODE_BYTES = 40;
const SCAN_LAST_NODE = 1888;

/** The four tables at `tables` of countBytes in assembly/scan.ts, added up. Counts are exact up to 2^53. */
export function readCounts(view: DataView, tables: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: 256 }, (_, byte) => {
    let sum = 0n;
    for (let table = 0; table < 4; table++) sum += view.getBigUint64(tables + 2048 * table + 8 * byte, true);
    return Number(sum);
  });
}

/** Reads what a scan has found from its result at `at`: the byte map is in assembly/scan-state.ts. */
export function readScanPart(view: DataView, dtype: ScanDType, at: number): ScanPart {
  const number = (offset: number): number => view.getFloat64(at + offset, true);
  const exact = (offset: number): number | bigint => {
    if (dtype === "I64") return view.getBigInt64(at + offset, true);
    return dtype === "U64" ? view.getBigUint64(at + offset, true) : number(offset);
  };
  const blocks = view.getBigUint64(at + SCAN_BLOCKS, true);
  // Everything was merged into the node of the highest digit; without a whole block there is only that of the last one.
  const node = blocks === 0n ? SCAN_LAST_NODE : SCAN_NODES + SCAN_NODE_BYTES * (blocks.toString(2).length - 1);
  const n = number(node + 24);
  return {
    dtype,
    count: number(48),
    nan: number(16),
    posInf: number(24),
    negInf: number(32),
    zeros: number(40),
    min: n > 0 ? Number(exact(0)) : Infinity,
    max: n > 0 ? Number(exact(8)) : -Infinity,
    node: { k: exact(node), mean: number(node + 8), squares: number(node + 16), n, unit: unitOf(view.getInt32(at + node + 32, true)) },
  };
}

function unitOf(scale: number): number {
  return scale === 0 ? UNIT : scale > 0 ? UNIT_OF_HUGE : UNIT_OF_TINY;
}
