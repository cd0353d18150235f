/*
 * One block of elements, number by number: blocks that hold NaN or infinities, numbers whose squares leave the range of a
 * float64, and the last, shorter block. Gives to the bit what the fast paths of scan-float.ts and scan-int.ts give.
 */
import {
  BF16, COUNT, F16, F32, F64, I16, I32, MAX, MIN, NAN, NEGATIVE, NODE, POSITIVE, SQUARES, SUMS, U16, U32, ZEROS, count, makeNode, unit,
} from "./scan-state";

/** Up to here |x| <= 2^480, squares and their sums are far from overflow. */
export const HUGE: f64 = reinterpret<f64>(<u64>(1023 + 480) << 52);
/** Below 2^-400 the squares of differences could vanish. */
export const TINY: f64 = reinterpret<f64>(<u64>(1023 - 400) << 52);

/** Adds the eight lanes in the order in which vectors of two are added. */
@inline
export function addLanes(l01: v128, l23: v128, l45: v128, l67: v128): f64 {
  const sum = f64x2.add(f64x2.add(l01, l23), f64x2.add(l45, l67));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Takes a block's extremes into the state's. */
export function widen(state: usize, min: f64, max: f64): void {
  if (min < load<f64>(state, MIN)) store<f64>(state, min, MIN);
  if (max > load<f64>(state, MAX)) store<f64>(state, max, MAX);
}

@inline
function itemBytes(kind: u32): usize {
  return kind == F64 ? 8 : kind == F32 || kind == I32 || kind == U32 ? 4 : 2;
}

/** One float16 as a float64: exponent 31 means infinity or NaN, exponent 0 a multiple of 2^-24. */
export function halfToNumber(bits: u32): f64 {
  const magnitude = (bits & 0x7fff) << 13;
  const value =
    (bits & 0x7c00) == 0x7c00
      ? <f64>reinterpret<f32>(magnitude | 0x7f800000)
      : <f64>(reinterpret<f32>(magnitude) * reinterpret<f32>((127 + 112) << 23));
  return bits & 0x8000 ? -value : value;
}

@inline
function decode(kind: u32, pointer: usize): f64 {
  if (kind == F64) return load<f64>(pointer);
  if (kind == F32) return <f64>load<f32>(pointer);
  if (kind == F16) return halfToNumber(load<u16>(pointer));
  if (kind == BF16) return <f64>reinterpret<f32>(<u32>load<u16>(pointer) << 16);
  if (kind == I32) return <f64>load<i32>(pointer);
  if (kind == U32) return <f64>load<u32>(pointer);
  if (kind == I16) return <f64>load<i16>(pointer);
  return <f64>load<u16>(pointer);
}

/** The unit class of a block: by its largest finite magnitude. */
function classOf(pointer: usize, end: usize): i32 {
  let largest: f64 = 0;
  for (; pointer < end; pointer += 8) {
    const magnitude = Math.abs(load<f64>(pointer));
    if (magnitude > largest && magnitude < Infinity) largest = magnitude;
  }
  return largest > HUGE ? 1 : largest > 0 && largest < TINY ? -1 : 0;
}

@inline
function block(kind: u32, state: usize, pointer: usize, length: usize): void {
  const end = pointer + length;
  const scale = kind == F64 ? classOf(pointer, end) : 0;
  const factor = unit(scale);
  memory.fill(state + SUMS, 0, 128);
  let min: f64 = Infinity;
  let max: f64 = -Infinity;
  let zeros: f64 = 0;
  let finite: f64 = 0;
  let k: f64 = 0;
  for (let lane: usize = 0; pointer < end; pointer += itemBytes(kind), lane = (lane + 8) & 56) {
    const x = decode(kind, pointer);
    if (x - x != 0) {
      count(state, x != x ? NAN : x > 0 ? POSITIVE : NEGATIVE, 1);
      continue;
    }
    if (finite == 0) k = x * factor;
    finite += 1;
    if (x == 0) zeros += 1;
    if (x < min) min = x;
    if (x > max) max = x;
    const d = x * factor - k;
    const at = state + lane;
    store<f64>(at, load<f64>(at, SUMS) + d, SUMS);
    store<f64>(at, load<f64>(at, SQUARES) + d * d, SQUARES);
  }
  count(state, COUNT, <f64>(length / itemBytes(kind)));
  count(state, ZEROS, zeros);
  widen(state, min, max);
  store<f64>(state, k, NODE);
  const at = state + SUMS;
  makeNode(
    state,
    finite,
    addLanes(v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48)),
    addLanes(v128.load(at, 64), v128.load(at, 80), v128.load(at, 96), v128.load(at, 112)),
    scale,
  );
}

/** Scans one block of any kind but the 64-bit integers; leaves its node in `state`. */
export function scanSlowly(kind: u32, state: usize, pointer: usize, length: usize): void {
  if (kind == F64) block(F64, state, pointer, length);
  else if (kind == F32) block(F32, state, pointer, length);
  else if (kind == F16) block(F16, state, pointer, length);
  else if (kind == BF16) block(BF16, state, pointer, length);
  else if (kind == I32) block(I32, state, pointer, length);
  else if (kind == U32) block(U32, state, pointer, length);
  else if (kind == I16) block(I16, state, pointer, length);
  else block(U16, state, pointer, length);
}
