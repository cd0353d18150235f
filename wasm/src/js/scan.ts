import type { Bytes, ScanDType, ScanResult } from "@ckptkit/core";
import { type ByteDType, byteScanResult } from "../byte-scan.js";
import { type ScanTotals, toScanResult } from "../scan-result.js";
import { DECODERS, NUMBER_BYTES } from "./decode.js";
import { type LongRange, scanLongs, scanNumbers } from "./scan-block.js";
import { EMPTY_NODE, type ScanNode, ScanTree } from "./scan-node.js";

/** A scan in the making. `result` leaves it as it was. */
export interface IncrementalScan {
  /** Adds whole elements. */
  update(bytes: Bytes): void;
  result(): ScanResult;
}

/** Blocks are of so many bytes of the element stream, counted from its start however it is cut into updates. */
const BLOCK_BYTES = 8192;

/** Dtypes of 64-bit integers. */
type LongDType = Extract<ScanDType, "I64" | "U64">;

/** Scans one block's bytes into totals. */
type ScanBlock = (view: DataView, offset: number, length: number, totals: ScanTotals) => ScanNode;

function numberBlock(dtype: Exclude<ScanDType, ByteDType | LongDType>): ScanBlock {
  const decode = DECODERS[dtype];
  const numberBytes = NUMBER_BYTES[dtype];
  const numbers = new Float64Array(BLOCK_BYTES / numberBytes);
  return (view, offset, length, totals) => {
    const part = numbers.subarray(0, length / numberBytes);
    decode(view, offset, part);
    return scanNumbers(part, totals);
  };
}

function longBlock(dtype: LongDType, range: LongRange): ScanBlock {
  const numbers = new (dtype === "I64" ? BigInt64Array : BigUint64Array)(BLOCK_BYTES / 8);
  return (view, offset, length, totals) => {
    const part = numbers.subarray(0, length / 8);
    for (let i = 0; i < part.length; i++)
      part[i] = dtype === "I64" ? view.getBigInt64(offset + 8 * i, true) : view.getBigUint64(offset + 8 * i, true);
    return scanLongs(part, totals, range);
  };
}

class BlockScan implements IncrementalScan {
  readonly #dtype: Exclude<ScanDType, ByteDType>;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #view = new DataView(this.#block.buffer);
  readonly #tree = new ScanTree();
  readonly #range: LongRange = { min: undefined, max: undefined };
  readonly #scan: ScanBlock;
  #waiting = 0;
  #totals: ScanTotals = {
    count: 0,
    nan: 0,
    posInf: 0,
    negInf: 0,
    zeros: 0,
    finite: 0,
    min: Infinity,
    max: -Infinity,
    mean: 0,
    std: 0,
  };

  constructor(dtype: Exclude<ScanDType, ByteDType>) {
    this.#dtype = dtype;
    this.#scan = dtype === "I64" || dtype === "U64" ? longBlock(dtype, this.#range) : numberBlock(dtype);
  }

  update(bytes: Bytes): void {
    let at = 0;
    if (this.#waiting > 0) {
      at = Math.min(BLOCK_BYTES - this.#waiting, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#waiting);
      this.#waiting += at;
      if (this.#waiting < BLOCK_BYTES) return;
      this.#tree.push(this.#scan(this.#view, 0, BLOCK_BYTES, this.#totals));
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) this.#tree.push(this.#scan(view, at, BLOCK_BYTES, this.#totals));
    this.#block.set(bytes.subarray(at));
    this.#waiting = bytes.length - at;
  }

  result(): ScanResult {
    const totals = { ...this.#totals };
    const range = { ...this.#range };
    const last = this.#waiting > 0 ? this.#scan(this.#view, 0, this.#waiting, totals) : EMPTY_NODE;
    Object.assign(totals, this.#tree.finish(last));
    if (this.#dtype === "I64" || this.#dtype === "U64") {
      totals.min = Number(this.#range.min ?? 0n);
      totals.max = Number(this.#range.max ?? 0n);
      Object.assign(this.#range, range);
    }
    return toScanResult(totals);
  }
}

class ByteScan implements IncrementalScan {
  readonly #dtype: ByteDType;
  readonly #counts = new Float64Array(256);

  constructor(dtype: ByteDType) {
    this.#dtype = dtype;
  }

  update(bytes: Bytes): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      this.#counts[byte] = (this.#counts[byte] ?? 0) + 1;
    }
  }

  result(): ScanResult {
    return byteScanResult(this.#dtype, this.#counts);
  }
}

/** An incremental scan of little-endian elements of a dtype. */
export function scan(dtype: ScanDType): IncrementalScan {
  return isByteDType(dtype) ? new ByteScan(dtype) : new BlockScan(dtype);
}

function isByteDType(dtype: ScanDType): dtype is ByteDType {
  return dtype === "F8_E4M3" || dtype === "F8_E5M2" || dtype === "I8" || dtype === "U8" || dtype === "BOOL";
}
