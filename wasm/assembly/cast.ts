/*
 * Casts among F64, F32, F16 and BF16, eight elements a step. Narrowing rounds to nearest, ties to even; what is out of range becomes
 * infinite; NaN stays NaN. F64 reaches the 16-bit formats through F32, as it does in torch (and is rounded twice therefore).
 *
 * Room, 128 bytes, owned by the caller, for the last elements when they are fewer than eight:
 *     byte     type      what
 *        0     u8[64]    source elements
 *       64     u8[64]    target elements
 */
import { BF16, F16, F32, F64 } from "./scan-state";

/** Bytes of one element: kinds 0 F64, 1 F32, 2 F16, 3 BF16. */
@inline
function itemBytes(kind: u32): usize {
  return kind == F64 ? 8 : kind == F32 ? 4 : 2;
}

/** Float16 in the upper halves to float32. */
@inline
function widenHalf(high: v128): v128 {
  // The exponent is moved by 112: exact for subnormals too. Exponent 31 comes out as 143 and is raised to 255.
  const moved = f32x4.mul(
    v128.and(i32x4.shr_s(high, 3), i32x4.splat(<i32>0x8fffe000)),
    f32x4.splat(reinterpret<f32>((127 + 112) << 23)),
  );
  const special = f32x4.ge(f32x4.abs(moved), f32x4.splat(65536));
  const raised = v128.or(moved, v128.and(special, i32x4.splat(0x7f800000)));
  return v128.or(raised, v128.and(f32x4.ne(raised, raised), i32x4.splat(0x00400000)));
}

/** Float32 to float16 in the low halves. */
@inline
function narrowHalf(x: v128): v128 {
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  const sign = v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000));
  // Below 2^-14 results are multiples of 2^-24: adding 0.5, whose last place is 2^-24, lets the adder round.
  const half = f32x4.splat(0.5);
  const small = i32x4.sub(f32x4.add(magnitude, half), half);
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - (112 << 23))), odd), 13);
  // From 2^16 on: infinity, or NaN with the quiet bit and the upper bits of its payload.
  const nan = v128.and(
    f32x4.ne(x, x),
    v128.or(i32x4.splat(0x200), v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(0x3ff))),
  );
  const large = v128.or(i32x4.splat(0x7c00), nan);
  const finite = v128.bitselect(small, normal, i32x4.lt_s(magnitude, i32x4.splat((127 - 14) << 23)));
  return v128.or(sign, v128.bitselect(finite, large, i32x4.lt_s(magnitude, i32x4.splat((127 + 16) << 23))));
}

/** Float32 to bfloat16 in the low halves. */
@inline
function narrowBrain(x: v128): v128 {
  const cut = i32x4.shr_u(x, 16);
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), v128.and(cut, i32x4.splat(1))), 16);
  return v128.bitselect(v128.or(cut, i32x4.splat(0x40)), rounded, f32x4.ne(x, x));
}

@inline
function demote(pointer: usize): v128 {
  const low = f32x4.demote_f64x2_zero(v128.load(pointer));
  const high = f32x4.demote_f64x2_zero(v128.load(pointer, 16));
  return v128.shuffle<u64>(low, high, 0, 2);
}

/** Elements 4 x part to 4 x part + 3 of eight as float32. */
@inline
function read(kind: u32, pointer: usize, part: usize): v128 {
  if (kind == F64) return demote(pointer + (part << 5));
  if (kind == F32) return v128.load(pointer + (part << 4));
  const high = i32x4.shl(v128.load16x4_u(pointer + (part << 3)), 16);
  return kind == BF16 ? high : widenHalf(high);
}

@inline
function write(kind: u32, target: usize, a: v128, b: v128): void {
  if (kind == F64) {
    v128.store(target, f64x2.promote_low_f32x4(a));
    v128.store(target, f64x2.promote_low_f32x4(v128.shuffle<u32>(a, a, 2, 3, 2, 3)), 16);
    v128.store(target, f64x2.promote_low_f32x4(b), 32);
    v128.store(target, f64x2.promote_low_f32x4(v128.shuffle<u32>(b, b, 2, 3, 2, 3)), 48);
  } else if (kind == F32) {
    v128.store(target, a);
    v128.store(target, b, 16);
  } else if (kind == F16) {
    v128.store(target, i16x8.narrow_i32x4_u(narrowHalf(a), narrowHalf(b)));
  } else {
    v128.store(target, i16x8.narrow_i32x4_u(narrowBrain(a), narrowBrain(b)));
  }
}

@inline
function convert(from: u32, to: u32, source: usize, count: usize, target: usize): void {
  const end = source + count * itemBytes(from);
  for (; source < end; source += itemBytes(from) << 3, target += itemBytes(to) << 3) {
    write(to, target, read(from, source, 0), read(from, source, 1));
  }
}

/** Casts a multiple of eight elements. */
function eights(from: u32, to: u32, source: usize, count: usize, target: usize): void {
  if (from == F64) {
    if (to == F32) convert(F64, F32, source, count, target);
    else if (to == F16) convert(F64, F16, source, count, target);
    else convert(F64, BF16, source, count, target);
  } else if (from == F32) {
    if (to == F64) convert(F32, F64, source, count, target);
    else if (to == F16) convert(F32, F16, source, count, target);
    else convert(F32, BF16, source, count, target);
  } else if (from == F16) {
    if (to == F64) convert(F16, F64, source, count, target);
    else if (to == F32) convert(F16, F32, source, count, target);
    else convert(F16, BF16, source, count, target);
  } else {
    if (to == F64) convert(BF16, F64, source, count, target);
    else if (to == F32) convert(BF16, F32, source, count, target);
    else convert(BF16, F16, source, count, target);
  }
}

/** Casts `count` elements; source and target do not overlap. Kinds: 0 F64, 1 F32, 2 F16, 3 BF16. */
export function cast(from: u32, to: u32, source: usize, count: usize, target: usize, room: usize): void {
  if (from == to) {
    memory.copy(target, source, count * itemBytes(from));
    return;
  }
  const bulk = count & ~7;
  eights(from, to, source, bulk, target);
  const rest = count - bulk;
  if (rest == 0) return;
  memory.copy(room, source + bulk * itemBytes(from), rest * itemBytes(from));
  eights(from, to, room, 8, room + 64);
  memory.copy(target + bulk * itemBytes(to), room + 64, rest * itemBytes(to));
}
