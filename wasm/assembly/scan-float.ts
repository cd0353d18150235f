/*
 * Whole blocks of floats, without a branch on the values. Elements are taken relative to the block's first; the sum of squares
 * then tells by itself whether any of them is NaN or infinite, and such a block is left to scan-block.ts.
 */
import { BF16, BLOCK_BYTES, COUNT, F16, F32, NODE, ZEROS, count, makeNode } from "./scan-state";
import { HUGE, TINY, addLanes, halfToNumber, widen } from "./scan-block";

/** Elements 0 to 3 of eight as float32. */
@inline
function lowFour(kind: u32, v: v128): v128 {
  if (kind == F32) return v;
  const high = v128.shuffle<u16>(i32x4.splat(0), v, 0, 8, 1, 9, 2, 10, 3, 11);
  return kind == BF16 ? high : half(high);
}

/** Elements 4 to 7 of eight as float32. */
@inline
function highFour(kind: u32, v: v128): v128 {
  const high = v128.shuffle<u16>(i32x4.splat(0), v, 4, 12, 5, 13, 6, 14, 7, 15);
  return kind == BF16 ? high : half(high);
}

/** Finite float16 in the upper halves as float32: the exponent is moved by 112, which is exact for subnormals too. */
@inline
function half(high: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shr_s(high, 3), i32x4.splat(<i32>0x8fffe000)), f32x4.splat(reinterpret<f32>((127 + 112) << 23)));
}

@inline
function lower(x: v128, k: v128): v128 {
  return f64x2.sub(f64x2.promote_low_f32x4(x), k);
}

@inline
function upper(x: v128, k: v128): v128 {
  return f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<u32>(x, x, 2, 3, 2, 3)), k);
}

@inline
function block(kind: u32, state: usize, pointer: usize): bool {
  const first: f64 =
    kind == F32
      ? <f64>load<f32>(pointer)
      : kind == BF16
        ? <f64>reinterpret<f32>(<u32>load<u16>(pointer) << 16)
        : halfToNumber(load<u16>(pointer));
  const k = f64x2.splat(first);
  const end = pointer + BLOCK_BYTES;
  let min = f32x4.splat(Infinity);
  let max = f32x4.splat(-Infinity);
  let zeros = i32x4.splat(0);
  let bits = i32x4.splat(0);
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let q0 = s0;
  let q1 = s0;
  let q2 = s0;
  let q3 = s0;
  for (; pointer < end; pointer += kind == F32 ? 32 : 16) {
    const v = v128.load(pointer);
    const a = lowFour(kind, v);
    const b = kind == F32 ? v128.load(pointer, 16) : highFour(kind, v);
    if (kind == F16) bits = i16x8.max_u(bits, v128.and(v, i16x8.splat(0x7fff)));
    min = f32x4.pmin(f32x4.pmin(min, a), b);
    max = f32x4.pmax(f32x4.pmax(max, a), b);
    zeros = i32x4.sub(i32x4.sub(zeros, f32x4.eq(a, f32x4.splat(0))), f32x4.eq(b, f32x4.splat(0)));
    const d0 = lower(a, k);
    const d1 = upper(a, k);
    const d2 = lower(b, k);
    const d3 = upper(b, k);
    s0 = f64x2.add(s0, d0);
    s1 = f64x2.add(s1, d1);
    s2 = f64x2.add(s2, d2);
    s3 = f64x2.add(s3, d3);
    q0 = f64x2.add(q0, f64x2.mul(d0, d0));
    q1 = f64x2.add(q1, f64x2.mul(d1, d1));
    q2 = f64x2.add(q2, f64x2.mul(d2, d2));
    q3 = f64x2.add(q3, f64x2.mul(d3, d3));
  }
  const square = addLanes(q0, q1, q2, q3);
  // No finite float32 can make this overflow: (2^129)^2 x 4096 < 2^271.
  if (square - square != 0) return false;
  if (kind == F16 && v128.any_true(i16x8.gt_s(bits, i16x8.splat(0x7bff)))) return false;
  const n = <f64>(BLOCK_BYTES / (kind == F32 ? 4 : 2));
  count(state, COUNT, n);
  count(
    state,
    ZEROS,
    <f64>(
      (i32x4.extract_lane(zeros, 0) + i32x4.extract_lane(zeros, 1) + i32x4.extract_lane(zeros, 2) + i32x4.extract_lane(zeros, 3))
    ),
  );
  min = f32x4.pmin(min, v128.shuffle<u32>(min, min, 2, 3, 0, 1));
  max = f32x4.pmax(max, v128.shuffle<u32>(max, max, 2, 3, 0, 1));
  const min1 = f32x4.extract_lane(min, 1);
  const max1 = f32x4.extract_lane(max, 1);
  const min0 = f32x4.extract_lane(min, 0);
  const max0 = f32x4.extract_lane(max, 0);
  widen(state, <f64>(min1 < min0 ? min1 : min0), <f64>(max1 > max0 ? max1 : max0));
  store<f64>(state, first, NODE);
  makeNode(state, n, addLanes(s0, s1, s2, s3), square, 0);
  return true;
}

/** Scans a whole block of F32, F16 or BF16 and leaves its node in `state`; false when it holds NaN or infinities. */
export function scanFloats(kind: u32, state: usize, pointer: usize): bool {
  if (kind == F32) return block(F32, state, pointer);
  return kind == BF16 ? block(BF16, state, pointer) : block(F16, state, pointer);
}

/** Scans a whole block of F64 and leaves its node in `state`; false when it needs care (specials, extreme magnitudes). */
export function scanDoubles(state: usize, pointer: usize): bool {
  const first = load<f64>(pointer);
  const k = f64x2.splat(first);
  const end = pointer + BLOCK_BYTES;
  const zero = f64x2.splat(0);
  let min = f64x2.splat(Infinity);
  let max = f64x2.splat(-Infinity);
  let zeros = i64x2.splat(0);
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  let s3 = zero;
  let q0 = zero;
  let q1 = zero;
  let q2 = zero;
  let q3 = zero;
  for (; pointer < end; pointer += 64) {
    const a = v128.load(pointer);
    const b = v128.load(pointer, 16);
    const c = v128.load(pointer, 32);
    const d = v128.load(pointer, 48);
    min = f64x2.pmin(f64x2.pmin(f64x2.pmin(f64x2.pmin(min, a), b), c), d);
    max = f64x2.pmax(f64x2.pmax(f64x2.pmax(f64x2.pmax(max, a), b), c), d);
    zeros = i64x2.sub(i64x2.sub(zeros, f64x2.eq(a, zero)), f64x2.eq(b, zero));
    zeros = i64x2.sub(i64x2.sub(zeros, f64x2.eq(c, zero)), f64x2.eq(d, zero));
    const d0 = f64x2.sub(a, k);
    const d1 = f64x2.sub(b, k);
    const d2 = f64x2.sub(c, k);
    const d3 = f64x2.sub(d, k);
    s0 = f64x2.add(s0, d0);
    s1 = f64x2.add(s1, d1);
    s2 = f64x2.add(s2, d2);
    s3 = f64x2.add(s3, d3);
    q0 = f64x2.add(q0, f64x2.mul(d0, d0));
    q1 = f64x2.add(q1, f64x2.mul(d1, d1));
    q2 = f64x2.add(q2, f64x2.mul(d2, d2));
    q3 = f64x2.add(q3, f64x2.mul(d3, d3));
  }
  const square = addLanes(q0, q1, q2, q3);
  if (square - square != 0) return false;
  const min0 = f64x2.extract_lane(min, 0);
  const min1 = f64x2.extract_lane(min, 1);
  const max0 = f64x2.extract_lane(max, 0);
  const max1 = f64x2.extract_lane(max, 1);
  const least = min1 < min0 ? min1 : min0;
  const most = max1 > max0 ? max1 : max0;
  const largest = -least > most ? -least : most;
  if (largest > HUGE || (largest > 0 && largest < TINY)) return false;
  const n = <f64>(BLOCK_BYTES / 8);
  count(state, COUNT, n);
  count(state, ZEROS, <f64>(i64x2.extract_lane(zeros, 0) + i64x2.extract_lane(zeros, 1)));
  widen(state, least, most);
  store<f64>(state, first, NODE);
  makeNode(state, n, addLanes(s0, s1, s2, s3), square, 0);
  return true;
}
