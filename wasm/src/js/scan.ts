import type { Bytes, ScanDType, ScanNode, ScanPart } from "@ckptkit/core";
import { type ByteDType, isByteDType } from "../byte-scan.js";
import { EMPTY_TOTALS, type ScanTotals } from "../scan-result.js";
import { DECODERS, NUMBER_BYTES } from "./decode.js";
import { type LongRange, scanLongs, scanNumbers } from "./scan-block.js";
import { EMPTY_NODE, ScanTree } from "./scan-node.js";

/** A scan in the making. `part` leaves it as it was. */
export interface IncrementalScan {
  /** Adds whole elements. */
  update(bytes: Bytes): void;
  part(): ScanPart;
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
  readonly #totals: ScanTotals = { ...EMPTY_TOTALS };

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

  part(): ScanPart {
    const totals = { ...this.#totals };
    const range = { ...this.#range };
    const last = this.#waiting > 0 ? this.#scan(this.#view, 0, this.#waiting, totals) : EMPTY_NODE;
    const node = this.#tree.finish(last);
    if (this.#range.min !== undefined) totals.min = Number(this.#range.min);
    if (this.#range.max !== undefined) totals.max = Number(this.#range.max);
    Object.assign(this.#range, range);
    return { dtype: this.#dtype, ...totals, node };
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

  part(): ScanPart {
    return { dtype: this.#dtype, counts: this.#counts.slice() };
  }
}

/** An incremental scan of little-endian elements of a dtype. */
export function scan(dtype: ScanDType): IncrementalScan {
  return isByteDType(dtype) ? new ByteScan(dtype) : new BlockScan(dtype);
}
