/*
 * Blocks of integers of 16, 32 and 64 bits.
 */
import { BLOCK_BYTES, COUNT, I16, I32, I64, MAX, MIN, NODE, SQUARES, SUMS, U16, U32, ZEROS, count, makeNode } from "./scan-state";
import { addLanes, widen } from "./scan-block";

@inline
function isSigned(kind: u32): bool {
  return kind == I32 || kind == I16;
}

/** Elements 0 to 3 (part 0) or 4 to 7 (part 1) of eight as 32-bit integers. */
@inline
function four(kind: u32, pointer: usize, part: usize): v128 {
  if (kind == I32 || kind == U32) return v128.load(pointer + (part << 4));
  return kind == I16 ? v128.load16x4_s(pointer + (part << 3)) : v128.load16x4_u(pointer + (part << 3));
}

@inline
function less(kind: u32, a: v128, b: v128): v128 {
  return isSigned(kind) ? i32x4.min_s(a, b) : i32x4.min_u(a, b);
}

@inline
function more(kind: u32, a: v128, b: v128): v128 {
  return isSigned(kind) ? i32x4.max_s(a, b) : i32x4.max_u(a, b);
}

@inline
function pair(kind: u32, x: v128, k: v128): v128 {
  return f64x2.sub(kind == U32 ? f64x2.convert_low_i32x4_u(x) : f64x2.convert_low_i32x4_s(x), k);
}

@inline
function toNumber(kind: u32, bits: i32): f64 {
  return isSigned(kind) ? <f64>bits : <f64>(<u32>bits);
}

@inline
function block(kind: u32, state: usize, pointer: usize): void {
  let min = four(kind, pointer, 0);
  let max = min;
  const first = toNumber(kind, i32x4.extract_lane(min, 0));
  const k = f64x2.splat(first);
  const end = pointer + BLOCK_BYTES;
  const zero = i32x4.splat(0);
  let zeros = zero;
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  let s3 = zero;
  let q0 = zero;
  let q1 = zero;
  let q2 = zero;
  let q3 = zero;
  for (; pointer < end; pointer += kind == I32 || kind == U32 ? 32 : 16) {
    const a = four(kind, pointer, 0);
    const b = four(kind, pointer, 1);
    min = less(kind, less(kind, min, a), b);
    max = more(kind, more(kind, max, a), b);
    zeros = i32x4.sub(i32x4.sub(zeros, i32x4.eq(a, zero)), i32x4.eq(b, zero));
    const d0 = pair(kind, a, k);
    const d1 = pair(kind, v128.shuffle<u32>(a, a, 2, 3, 2, 3), k);
    const d2 = pair(kind, b, k);
    const d3 = pair(kind, v128.shuffle<u32>(b, b, 2, 3, 2, 3), k);
    s0 = f64x2.add(s0, d0);
    s1 = f64x2.add(s1, d1);
    s2 = f64x2.add(s2, d2);
    s3 = f64x2.add(s3, d3);
    q0 = f64x2.add(q0, f64x2.mul(d0, d0));
    q1 = f64x2.add(q1, f64x2.mul(d1, d1));
    q2 = f64x2.add(q2, f64x2.mul(d2, d2));
    q3 = f64x2.add(q3, f64x2.mul(d3, d3));
  }
  const n = <f64>(BLOCK_BYTES / (kind == I32 || kind == U32 ? 4 : 2));
  count(state, COUNT, n);
  count(
    state,
    ZEROS,
    <f64>(
      (i32x4.extract_lane(zeros, 0) + i32x4.extract_lane(zeros, 1) + i32x4.extract_lane(zeros, 2) + i32x4.extract_lane(zeros, 3))
    ),
  );
  min = less(kind, min, v128.shuffle<u32>(min, min, 2, 3, 0, 1));
  min = less(kind, min, v128.shuffle<u32>(min, min, 1, 0, 3, 2));
  max = more(kind, max, v128.shuffle<u32>(max, max, 2, 3, 0, 1));
  max = more(kind, max, v128.shuffle<u32>(max, max, 1, 0, 3, 2));
  widen(state, toNumber(kind, i32x4.extract_lane(min, 0)), toNumber(kind, i32x4.extract_lane(max, 0)));
  store<f64>(state, first, NODE);
  makeNode(state, n, addLanes(s0, s1, s2, s3), addLanes(q0, q1, q2, q3), 0);
}

/** Scans a whole block of I32, U32, I16 or U16 and leaves its node in `state`. */
export function scanInts(kind: u32, state: usize, pointer: usize): void {
  if (kind == I32) block(I32, state, pointer);
  else if (kind == U32) block(U32, state, pointer);
  else if (kind == I16) block(I16, state, pointer);
  else block(U16, state, pointer);
}

/**
 * Scans a block, whole or not, of I64 or U64 and leaves its node in `state`. Numbers are taken relative to the block's smallest,
 * where every difference fits in 64 unsigned bits: sums are of exact values, each rounded once to a float64.
 */
export function scanLongs(kind: u32, state: usize, pointer: usize, length: usize): void {
  const end = pointer + length;
  const flip: u64 = kind == I64 ? 0x8000000000000000 : 0;
  let min: u64 = load<u64>(pointer) ^ flip;
  let max: u64 = min;
  let zeros: f64 = 0;
  for (let at = pointer; at < end; at += 8) {
    const bits = load<u64>(at);
    const x = bits ^ flip;
    if (x < min) min = x;
    if (x > max) max = x;
    if (bits == 0) zeros += 1;
  }
  memory.fill(state + SUMS, 0, 128);
  for (let at = pointer, lane: usize = 0; at < end; at += 8, lane = (lane + 8) & 56) {
    const d = <f64>((load<u64>(at) ^ flip) - min);
    const sums = state + lane;
    store<f64>(sums, load<f64>(sums, SUMS) + d, SUMS);
    store<f64>(sums, load<f64>(sums, SQUARES) + d * d, SQUARES);
  }
  if (min < (load<u64>(state, MIN) ^ flip)) store<u64>(state, min ^ flip, MIN);
  if (max > (load<u64>(state, MAX) ^ flip)) store<u64>(state, max ^ flip, MAX);
  const n = <f64>(length >> 3);
  count(state, COUNT, n);
  count(state, ZEROS, zeros);
  store<u64>(state, min ^ flip, NODE);
  const at = state + SUMS;
  makeNode(
    state,
    n,
    addLanes(v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48)),
    addLanes(v128.load(at, 64), v128.load(at, 80), v128.load(at, 96), v128.load(at, 112)),
    0,
  );
}
