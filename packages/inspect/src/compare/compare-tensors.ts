import { type Bytes, bitsOf, type SignalOptions, type TensorHandle } from "@ckptkit/core";
import { canDecode } from "@ckptkit/wasm/js";
import { PIECE_BYTES } from "../piece-bytes.js";
import { ElementReader } from "../values/element-reader.js";
import { DifferenceTally, type Tolerance, type ValueDifference } from "./value-difference.js";

/** Memory for the pieces of both tensors; no more than was needed so far. */
export class PairBuffers {
  #a = new Uint8Array(0);
  #b = new Uint8Array(0);

  /** Room for so many bytes of each. */
  take(bytesA: number, bytesB: number): readonly [Bytes, Bytes] {
    if (this.#a.length < bytesA) this.#a = new Uint8Array(bytesA);
    if (this.#b.length < bytesB) this.#b = new Uint8Array(bytesB);
    return [this.#a.subarray(0, bytesA), this.#b.subarray(0, bytesB)];
  }
}

/** Elements of a piece are a multiple of this, so that pieces of any dtype begin at whole bytes. */
const ELEMENTS_STEP = 1024;

/** Takes note of bytes that were looked at. */
type OnBytes = (bytes: number) => void;

/** What the values of a pair came to; how they differ is known where their bytes differ and are numbers. */
export interface PairOutcome {
  same: boolean;
  difference?: ValueDifference;
}

/**
 * Compares the values of two tensors of one shape: their bytes first, where equal bytes mean equal values, and numbers where they
 * differ. Both are read in pieces of 4 MiB at the most, side by side.
 *
 * @throws {CheckpointLoadError} what reading throws
 */
export async function comparePair(
  a: TensorHandle,
  b: TensorHandle,
  tolerance: Tolerance,
  buffers: PairBuffers,
  onBytes: OnBytes,
  options: SignalOptions,
): Promise<PairOutcome> {
  if (a.elementCount === 0) return { same: true };
  const decodable = canDecode(a.dtype) && canDecode(b.dtype);
  if (sameCoding(a, b) && (await equalBytes(a, b, buffers, onBytes, options))) return { same: true };
  if (!decodable) return { same: false };
  const difference = await differenceOf(a, b, tolerance, buffers, onBytes, options);
  return { same: difference.outside === 0, difference };
}

/** Whether equal bytes stand for equal values. Where each place of an axis has a scale of its own, the numbers decide. */
function sameCoding(a: TensorHandle, b: TensorHandle): boolean {
  const [one, two] = [a.spec.quantization, b.spec.quantization];
  if (a.dtype !== b.dtype || !one || !two) return a.dtype === b.dtype && one === two;
  return "scale" in one && "scale" in two && one.scale === two.scale && one.zeroPoint === two.zeroPoint;
}

async function equalBytes(
  a: TensorHandle,
  b: TensorHandle,
  buffers: PairBuffers,
  onBytes: OnBytes,
  options: SignalOptions,
): Promise<boolean> {
  for await (const [one, two] of pieces(a, b, buffers, options)) {
    onBytes(one.length + two.length);
    if (!sameBytes(one, two)) return false;
  }
  return true;
}

async function differenceOf(
  a: TensorHandle,
  b: TensorHandle,
  tolerance: Tolerance,
  buffers: PairBuffers,
  onBytes: OnBytes,
  options: SignalOptions,
): Promise<ValueDifference> {
  const [readerA, readerB] = [await ElementReader.open(a, options), await ElementReader.open(b, options)];
  const tally = new DifferenceTally(tolerance);
  const isLong = a.dtype === b.dtype && (a.dtype === "I64" || a.dtype === "U64");
  let first = 0;
  for await (const [one, two] of pieces(a, b, buffers, options)) {
    onBytes(one.length + two.length);
    const count = Math.min(Math.floor((one.length * 8) / readerA.bits), a.elementCount - first);
    for (let at = 0; at < count; at += ELEMENTS_STEP) {
      const taken = Math.min(ELEMENTS_STEP, count - at);
      const apart = isLong ? longDistances(one, two, at, taken, a.dtype === "I64") : undefined;
      tally.add(readerA.block(one, at, taken, first), readerB.block(two, at, taken, first), apart);
    }
    first += count;
  }
  return tally.result();
}

/** Pieces of both tensors with the same elements. */
async function* pieces(
  a: TensorHandle,
  b: TensorHandle,
  buffers: PairBuffers,
  options: SignalOptions,
): AsyncGenerator<readonly [Bytes, Bytes]> {
  const [bitsA, bitsB] = [bitsOf(a.spec), bitsOf(b.spec)];
  const most = Math.floor((PIECE_BYTES * 8) / Math.max(bitsA, bitsB) / ELEMENTS_STEP) * ELEMENTS_STEP;
  const elements = Math.min(most, Math.ceil(a.elementCount / ELEMENTS_STEP) * ELEMENTS_STEP);
  const [bufferA, bufferB] = buffers.take(Math.ceil((elements * bitsA) / 8), Math.ceil((elements * bitsB) / 8));
  const [chunksA, chunksB] = [a.chunks(bufferA, options), b.chunks(bufferB, options)];
  try {
    for (;;) {
      const [one, two] = await Promise.all([chunksA.next(), chunksB.next()]);
      if (one.done || two.done) return;
      yield [one.value, two.value];
    }
  } finally {
    await Promise.all([chunksA.return(), chunksB.return()]);
  }
}

function sameBytes(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const words = Math.floor(a.length / 4);
    const [one, two] = [new Int32Array(a.buffer, a.byteOffset, words), new Int32Array(b.buffer, b.byteOffset, words)];
    for (let i = 0; i < words; i++) if (one[i] !== two[i]) return false;
    at = 4 * words;
  }
  for (; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Distances of 64-bit integers that are one float64 and still differ. */
function longDistances(a: Bytes, b: Bytes, at: number, count: number, signed: boolean): ReadonlyMap<number, number> | undefined {
  let apart: Map<number, number> | undefined;
  const [one, two] = [new DataView(a.buffer, a.byteOffset, a.byteLength), new DataView(b.buffer, b.byteOffset, b.byteLength)];
  for (let i = 0; i < count; i++) {
    const place = 8 * (at + i);
    const [x, y] = signed
      ? [one.getBigInt64(place, true), two.getBigInt64(place, true)]
      : [one.getBigUint64(place, true), two.getBigUint64(place, true)];
    if (x === y || Number(x) !== Number(y)) continue;
    apart ??= new Map();
    apart.set(i, Math.abs(Number(x - y)));
  }
  return apart;
}
