/*
 * BLAKE3's compression of four inputs side by side: lane k of every vector belongs to input k.
 * See section 5.3 of https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf.
 *
 * The seven rounds are written out: words of the message have names then, and no round has to look up which of them comes next. That is a
 * fifth of the time.
 */
import { IV } from "./blake3-block";
import { highs, left, lows, right, transpose } from "./transpose";

/** a + b + word. */
@inline
function sum(a: v128, b: v128, word: v128): v128 {
  return i32x4.add(i32x4.add(a, b), word);
}

/** The exclusive or of x and y, each word turned right. */
@inline
function turn(x: v128, y: v128, bits: i32): v128 {
  const z = v128.xor(x, y);
  return v128.or(i32x4.shr_u(z, bits), i32x4.shl(z, 32 - bits));
}

// Whole bytes: a swizzle by a constant is one instruction where engines make several of a shuffle.
@inline
function turn16(x: v128, y: v128): v128 {
  return i8x16.swizzle(v128.xor(x, y), i8x16(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}

@inline
function turn8(x: v128, y: v128): v128 {
  return i8x16.swizzle(v128.xor(x, y), i8x16(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12));
}

@inline
function initial(index: usize): v128 {
  return v128.load32_splat(IV + (index << 2));
}

/**
 * Hashes four inputs of `blocks` 64-byte blocks that start `stride` bytes apart, and writes their four chaining values, 32
 * bytes each, to `out`. `counter` is that of the first; `step` is added for each of the others: 1 for chunks, 0 for parents.
 */
export function compressFour(
  pointer: usize, stride: usize, blocks: u32, counter: u64, step: u64, flags: u32, first: u32, last: u32, out: usize,
): void {
  let h0 = initial(0);
  let h1 = initial(1);
  let h2 = initial(2);
  let h3 = initial(3);
  let h4 = initial(4);
  let h5 = initial(5);
  let h6 = initial(6);
  let h7 = initial(7);
  const c1 = counter + step;
  const c2 = c1 + step;
  const c3 = c2 + step;
  let low = i32x4.splat(<i32>counter);
  low = i32x4.replace_lane(low, 1, <i32>c1);
  low = i32x4.replace_lane(low, 2, <i32>c2);
  low = i32x4.replace_lane(low, 3, <i32>c3);
  let high = i32x4.splat(<i32>(counter >> 32));
  high = i32x4.replace_lane(high, 1, <i32>(c1 >> 32));
  high = i32x4.replace_lane(high, 2, <i32>(c2 >> 32));
  high = i32x4.replace_lane(high, 3, <i32>(c3 >> 32));
  for (let block: u32 = 0; block < blocks; block++, pointer += 64) {
    const a0 = v128.load(pointer, 0);
    const b0 = v128.load(pointer + stride, 0);
    const c0 = v128.load(pointer + 2 * stride, 0);
    const d0 = v128.load(pointer + 3 * stride, 0);
    const a1 = v128.load(pointer, 16);
    const b1 = v128.load(pointer + stride, 16);
    const c1 = v128.load(pointer + 2 * stride, 16);
    const d1 = v128.load(pointer + 3 * stride, 16);
    const a2 = v128.load(pointer, 32);
    const b2 = v128.load(pointer + stride, 32);
    const c2 = v128.load(pointer + 2 * stride, 32);
    const d2 = v128.load(pointer + 3 * stride, 32);
    const a3 = v128.load(pointer, 48);
    const b3 = v128.load(pointer + stride, 48);
    const c3 = v128.load(pointer + 2 * stride, 48);
    const d3 = v128.load(pointer + 3 * stride, 48);
    const l0 = lows(a0, b0), r0 = lows(c0, d0), s0 = highs(a0, b0), t0 = highs(c0, d0);
    const l1 = lows(a1, b1), r1 = lows(c1, d1), s1 = highs(a1, b1), t1 = highs(c1, d1);
    const l2 = lows(a2, b2), r2 = lows(c2, d2), s2 = highs(a2, b2), t2 = highs(c2, d2);
    const l3 = lows(a3, b3), r3 = lows(c3, d3), s3 = highs(a3, b3), t3 = highs(c3, d3);
    const m0 = left(l0, r0), m1 = right(l0, r0), m2 = left(s0, t0), m3 = right(s0, t0);
    const m4 = left(l1, r1), m5 = right(l1, r1), m6 = left(s1, t1), m7 = right(s1, t1);
    const m8 = left(l2, r2), m9 = right(l2, r2), ma = left(s2, t2), mb = right(s2, t2);
    const mc = left(l3, r3), md = right(l3, r3), me = left(s3, t3), mf = right(s3, t3);
    const mode = flags | (block == 0 ? first : 0) | (block == blocks - 1 ? last : 0);
    let v0 = h0;
    let v1 = h1;
    let v2 = h2;
    let v3 = h3;
    let v4 = h4;
    let v5 = h5;
    let v6 = h6;
    let v7 = h7;
    let v8 = initial(0);
    let v9 = initial(1);
    let va = initial(2);
    let vb = initial(3);
    let vc = low;
    let vd = high;
    let ve = i32x4.splat(64);
    let vf = i32x4.splat(mode);
    // Round 1: columns, then diagonals.
    v0 = sum(v0, v4, m0); vc = turn16(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 12);
    v0 = sum(v0, v4, m1); vc = turn8(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 7);
    v1 = sum(v1, v5, m2); vd = turn16(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 12);
    v1 = sum(v1, v5, m3); vd = turn8(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 7);
    v2 = sum(v2, v6, m4); ve = turn16(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 12);
    v2 = sum(v2, v6, m5); ve = turn8(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 7);
    v3 = sum(v3, v7, m6); vf = turn16(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 12);
    v3 = sum(v3, v7, m7); vf = turn8(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 7);
    v0 = sum(v0, v5, m8); vf = turn16(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 12);
    v0 = sum(v0, v5, m9); vf = turn8(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 7);
    v1 = sum(v1, v6, ma); vc = turn16(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 12);
    v1 = sum(v1, v6, mb); vc = turn8(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 7);
    v2 = sum(v2, v7, mc); vd = turn16(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 12);
    v2 = sum(v2, v7, md); vd = turn8(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 7);
    v3 = sum(v3, v4, me); ve = turn16(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 12);
    v3 = sum(v3, v4, mf); ve = turn8(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 7);
    // Round 2: columns, then diagonals.
    v0 = sum(v0, v4, m2); vc = turn16(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 12);
    v0 = sum(v0, v4, m6); vc = turn8(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 7);
    v1 = sum(v1, v5, m3); vd = turn16(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 12);
    v1 = sum(v1, v5, ma); vd = turn8(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 7);
    v2 = sum(v2, v6, m7); ve = turn16(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 12);
    v2 = sum(v2, v6, m0); ve = turn8(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 7);
    v3 = sum(v3, v7, m4); vf = turn16(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 12);
    v3 = sum(v3, v7, md); vf = turn8(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 7);
    v0 = sum(v0, v5, m1); vf = turn16(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 12);
    v0 = sum(v0, v5, mb); vf = turn8(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 7);
    v1 = sum(v1, v6, mc); vc = turn16(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 12);
    v1 = sum(v1, v6, m5); vc = turn8(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 7);
    v2 = sum(v2, v7, m9); vd = turn16(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 12);
    v2 = sum(v2, v7, me); vd = turn8(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 7);
    v3 = sum(v3, v4, mf); ve = turn16(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 12);
    v3 = sum(v3, v4, m8); ve = turn8(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 7);
    // Round 3: columns, then diagonals.
    v0 = sum(v0, v4, m3); vc = turn16(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 12);
    v0 = sum(v0, v4, m4); vc = turn8(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 7);
    v1 = sum(v1, v5, ma); vd = turn16(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 12);
    v1 = sum(v1, v5, mc); vd = turn8(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 7);
    v2 = sum(v2, v6, md); ve = turn16(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 12);
    v2 = sum(v2, v6, m2); ve = turn8(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 7);
    v3 = sum(v3, v7, m7); vf = turn16(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 12);
    v3 = sum(v3, v7, me); vf = turn8(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 7);
    v0 = sum(v0, v5, m6); vf = turn16(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 12);
    v0 = sum(v0, v5, m5); vf = turn8(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 7);
    v1 = sum(v1, v6, m9); vc = turn16(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 12);
    v1 = sum(v1, v6, m0); vc = turn8(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 7);
    v2 = sum(v2, v7, mb); vd = turn16(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 12);
    v2 = sum(v2, v7, mf); vd = turn8(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 7);
    v3 = sum(v3, v4, m8); ve = turn16(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 12);
    v3 = sum(v3, v4, m1); ve = turn8(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 7);
    // Round 4: columns, then diagonals.
    v0 = sum(v0, v4, ma); vc = turn16(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 12);
    v0 = sum(v0, v4, m7); vc = turn8(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 7);
    v1 = sum(v1, v5, mc); vd = turn16(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 12);
    v1 = sum(v1, v5, m9); vd = turn8(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 7);
    v2 = sum(v2, v6, me); ve = turn16(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 12);
    v2 = sum(v2, v6, m3); ve = turn8(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 7);
    v3 = sum(v3, v7, md); vf = turn16(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 12);
    v3 = sum(v3, v7, mf); vf = turn8(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 7);
    v0 = sum(v0, v5, m4); vf = turn16(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 12);
    v0 = sum(v0, v5, m0); vf = turn8(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 7);
    v1 = sum(v1, v6, mb); vc = turn16(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 12);
    v1 = sum(v1, v6, m2); vc = turn8(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 7);
    v2 = sum(v2, v7, m5); vd = turn16(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 12);
    v2 = sum(v2, v7, m8); vd = turn8(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 7);
    v3 = sum(v3, v4, m1); ve = turn16(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 12);
    v3 = sum(v3, v4, m6); ve = turn8(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 7);
    // Round 5: columns, then diagonals.
    v0 = sum(v0, v4, mc); vc = turn16(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 12);
    v0 = sum(v0, v4, md); vc = turn8(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 7);
    v1 = sum(v1, v5, m9); vd = turn16(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 12);
    v1 = sum(v1, v5, mb); vd = turn8(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 7);
    v2 = sum(v2, v6, mf); ve = turn16(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 12);
    v2 = sum(v2, v6, ma); ve = turn8(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 7);
    v3 = sum(v3, v7, me); vf = turn16(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 12);
    v3 = sum(v3, v7, m8); vf = turn8(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 7);
    v0 = sum(v0, v5, m7); vf = turn16(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 12);
    v0 = sum(v0, v5, m2); vf = turn8(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 7);
    v1 = sum(v1, v6, m5); vc = turn16(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 12);
    v1 = sum(v1, v6, m3); vc = turn8(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 7);
    v2 = sum(v2, v7, m0); vd = turn16(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 12);
    v2 = sum(v2, v7, m1); vd = turn8(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 7);
    v3 = sum(v3, v4, m6); ve = turn16(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 12);
    v3 = sum(v3, v4, m4); ve = turn8(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 7);
    // Round 6: columns, then diagonals.
    v0 = sum(v0, v4, m9); vc = turn16(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 12);
    v0 = sum(v0, v4, me); vc = turn8(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 7);
    v1 = sum(v1, v5, mb); vd = turn16(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 12);
    v1 = sum(v1, v5, m5); vd = turn8(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 7);
    v2 = sum(v2, v6, m8); ve = turn16(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 12);
    v2 = sum(v2, v6, mc); ve = turn8(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 7);
    v3 = sum(v3, v7, mf); vf = turn16(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 12);
    v3 = sum(v3, v7, m1); vf = turn8(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 7);
    v0 = sum(v0, v5, md); vf = turn16(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 12);
    v0 = sum(v0, v5, m3); vf = turn8(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 7);
    v1 = sum(v1, v6, m0); vc = turn16(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 12);
    v1 = sum(v1, v6, ma); vc = turn8(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 7);
    v2 = sum(v2, v7, m2); vd = turn16(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 12);
    v2 = sum(v2, v7, m6); vd = turn8(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 7);
    v3 = sum(v3, v4, m4); ve = turn16(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 12);
    v3 = sum(v3, v4, m7); ve = turn8(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 7);
    // Round 7: columns, then diagonals.
    v0 = sum(v0, v4, mb); vc = turn16(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 12);
    v0 = sum(v0, v4, mf); vc = turn8(vc, v0); v8 = i32x4.add(v8, vc); v4 = turn(v4, v8, 7);
    v1 = sum(v1, v5, m5); vd = turn16(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 12);
    v1 = sum(v1, v5, m0); vd = turn8(vd, v1); v9 = i32x4.add(v9, vd); v5 = turn(v5, v9, 7);
    v2 = sum(v2, v6, m1); ve = turn16(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 12);
    v2 = sum(v2, v6, m9); ve = turn8(ve, v2); va = i32x4.add(va, ve); v6 = turn(v6, va, 7);
    v3 = sum(v3, v7, m8); vf = turn16(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 12);
    v3 = sum(v3, v7, m6); vf = turn8(vf, v3); vb = i32x4.add(vb, vf); v7 = turn(v7, vb, 7);
    v0 = sum(v0, v5, me); vf = turn16(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 12);
    v0 = sum(v0, v5, ma); vf = turn8(vf, v0); va = i32x4.add(va, vf); v5 = turn(v5, va, 7);
    v1 = sum(v1, v6, m2); vc = turn16(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 12);
    v1 = sum(v1, v6, mc); vc = turn8(vc, v1); vb = i32x4.add(vb, vc); v6 = turn(v6, vb, 7);
    v2 = sum(v2, v7, m3); vd = turn16(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 12);
    v2 = sum(v2, v7, m4); vd = turn8(vd, v2); v8 = i32x4.add(v8, vd); v7 = turn(v7, v8, 7);
    v3 = sum(v3, v4, m7); ve = turn16(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 12);
    v3 = sum(v3, v4, md); ve = turn8(ve, v3); v9 = i32x4.add(v9, ve); v4 = turn(v4, v9, 7);
    h0 = v128.xor(v0, v8);
    h1 = v128.xor(v1, v9);
    h2 = v128.xor(v2, va);
    h3 = v128.xor(v3, vb);
    h4 = v128.xor(v4, vc);
    h5 = v128.xor(v5, vd);
    h6 = v128.xor(v6, ve);
    h7 = v128.xor(v7, vf);
  }
  transpose(h0, h1, h2, h3, out, 32);
  transpose(h4, h5, h6, h7, out + 16, 32);
}
