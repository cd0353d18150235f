import type { ScanNode } from "@ckptkit/core";
import type { ScanTotals } from "../scan-result.js";
import { makeNode, UNIT, UNIT_OF_HUGE, UNIT_OF_TINY } from "./scan-node.js";

/** Up to here squares and their sums are far from overflow. */
const HUGE = 2 ** 480;
/** Below this the squares of differences could vanish. */
const TINY = 2 ** -400;

/** Element i of a block is added to lane i mod 8: what lets vectors of numbers be added in the same order. */
const LANES = 8;

/** The sum of the lanes, in the order in which vectors of two are added. */
function addLanes(lanes: Float64Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = lanes;
  return a + c + (e + g) + (b + d + (f + h));
}

function unitOf(numbers: Float64Array): number {
  let largest = 0;
  for (const x of numbers) {
    const magnitude = Math.abs(x);
    if (magnitude > largest && magnitude < Infinity) largest = magnitude;
  }
  return largest > HUGE ? UNIT_OF_HUGE : largest > 0 && largest < TINY ? UNIT_OF_TINY : UNIT;
}

/** Counts a block of numbers into `totals` and returns its node. */
export function scanNumbers(numbers: Float64Array, totals: ScanTotals): ScanNode {
  const unit = unitOf(numbers);
  const sums = new Float64Array(LANES);
  const squares = new Float64Array(LANES);
  let k = 0;
  let n = 0;
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i] ?? 0;
    if (x - x !== 0) {
      if (Number.isNaN(x)) totals.nan++;
      else if (x > 0) totals.posInf++;
      else totals.negInf++;
      continue;
    }
    if (n++ === 0) k = x * unit;
    if (x === 0) totals.zeros++;
    if (x < totals.min) totals.min = x;
    if (x > totals.max) totals.max = x;
    const lane = i % LANES;
    const d = x * unit - k;
    sums[lane] = (sums[lane] ?? 0) + d;
    squares[lane] = (squares[lane] ?? 0) + d * d;
  }
  totals.count += numbers.length;
  return makeNode(k, n, addLanes(sums), addLanes(squares), unit);
}

/** The extremes of 64-bit integers, exactly. */
export interface LongRange {
  min: bigint | undefined;
  max: bigint | undefined;
}

/** Counts a block of 64-bit integers; they are taken relative to the smallest of them. */
export function scanLongs(numbers: BigInt64Array | BigUint64Array, totals: ScanTotals, range: LongRange): ScanNode {
  const sums = new Float64Array(LANES);
  const squares = new Float64Array(LANES);
  let min = numbers[0] ?? 0n;
  let max = min;
  for (const x of numbers) {
    if (x < min) min = x;
    if (x > max) max = x;
    if (x === 0n) totals.zeros++;
  }
  for (let i = 0; i < numbers.length; i++) {
    const lane = i % LANES;
    const d = Number((numbers[i] ?? 0n) - min);
    sums[lane] = (sums[lane] ?? 0) + d;
    squares[lane] = (squares[lane] ?? 0) + d * d;
  }
  if (range.min === undefined || min < range.min) range.min = min;
  if (range.max === undefined || max > range.max) range.max = max;
  totals.count += numbers.length;
  return makeNode(min, numbers.length, addLanes(sums), addLanes(squares), UNIT);
}
