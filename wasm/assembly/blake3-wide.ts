/*
 * BLAKE3's compression of four inputs side by side: lane k of every vector belongs to input k.
 * See section 5.3 of https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf.
 */
import { IV } from "./blake3-block";

/**
 * Byte offset of the word that the i-th addition of a round takes from a table of 16-byte vectors: seven rows, each the row
 * before it permuted as the specification's table 2 says.
 */
const ORDER: usize = memory.data<u8>([
  0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240,
  32, 96, 48, 160, 112, 0, 64, 208, 16, 176, 192, 80, 144, 224, 240, 128,
  48, 64, 160, 192, 208, 32, 112, 224, 96, 80, 144, 0, 176, 240, 128, 16,
  160, 112, 192, 144, 224, 48, 208, 240, 64, 0, 176, 32, 80, 128, 16, 96,
  192, 208, 144, 176, 240, 160, 224, 128, 112, 32, 80, 48, 0, 16, 96, 64,
  144, 224, 176, 80, 128, 192, 240, 16, 208, 48, 0, 160, 32, 96, 64, 112,
  176, 240, 80, 0, 16, 144, 128, 96, 224, 160, 32, 192, 48, 64, 112, 208
]);

@inline
function word(words: usize, order: usize, index: usize): v128 {
  return v128.load(words + <usize>load<u8>(order + index));
}

@inline
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits));
}

@inline
function rotate16(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

@inline
function rotate8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}

/** Writes the transpose of the 4 x 4 words in a, b, c, d to `out`, rows `stride` bytes apart. */
@inline
function transpose(a: v128, b: v128, c: v128, d: v128, out: usize, stride: usize): void {
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<u64>(ab, cd, 0, 2));
  v128.store(out + stride, v128.shuffle<u64>(ab, cd, 1, 3));
  v128.store(out + 2 * stride, v128.shuffle<u64>(abHigh, cdHigh, 0, 2));
  v128.store(out + 3 * stride, v128.shuffle<u64>(abHigh, cdHigh, 1, 3));
}

@inline
function initial(index: usize): v128 {
  return v128.load32_splat(IV + (index << 2));
}

/**
 * Hashes four inputs of `blocks` 64-byte blocks that start `stride` bytes apart, and writes their four chaining values, 32
 * bytes each, to `out`. `counter` is that of the first; `step` is added for each of the others: 1 for chunks, 0 for parents.
 * `words` is room for 256 bytes.
 */
export function compressFour(
  pointer: usize, stride: usize, blocks: u32, counter: u64, step: u64, flags: u32, first: u32, last: u32, words: usize, out: usize,
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
    for (let part: usize = 0; part < 64; part += 16) {
      const at = pointer + part;
      transpose(
        v128.load(at), v128.load(at + stride), v128.load(at + 2 * stride), v128.load(at + 3 * stride), words + (part << 2), 16,
      );
    }
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
    for (let order = ORDER; order < ORDER + 112; order += 16) {
      v0 = i32x4.add(i32x4.add(v0, v4), word(words, order, 0)); vc = rotate16(v128.xor(vc, v0));
      v1 = i32x4.add(i32x4.add(v1, v5), word(words, order, 2)); vd = rotate16(v128.xor(vd, v1));
      v2 = i32x4.add(i32x4.add(v2, v6), word(words, order, 4)); ve = rotate16(v128.xor(ve, v2));
      v3 = i32x4.add(i32x4.add(v3, v7), word(words, order, 6)); vf = rotate16(v128.xor(vf, v3));
      v8 = i32x4.add(v8, vc); v4 = rotate(v128.xor(v4, v8), 12);
      v9 = i32x4.add(v9, vd); v5 = rotate(v128.xor(v5, v9), 12);
      va = i32x4.add(va, ve); v6 = rotate(v128.xor(v6, va), 12);
      vb = i32x4.add(vb, vf); v7 = rotate(v128.xor(v7, vb), 12);
      v0 = i32x4.add(i32x4.add(v0, v4), word(words, order, 1)); vc = rotate8(v128.xor(vc, v0));
      v1 = i32x4.add(i32x4.add(v1, v5), word(words, order, 3)); vd = rotate8(v128.xor(vd, v1));
      v2 = i32x4.add(i32x4.add(v2, v6), word(words, order, 5)); ve = rotate8(v128.xor(ve, v2));
      v3 = i32x4.add(i32x4.add(v3, v7), word(words, order, 7)); vf = rotate8(v128.xor(vf, v3));
      v8 = i32x4.add(v8, vc); v4 = rotate(v128.xor(v4, v8), 7);
      v9 = i32x4.add(v9, vd); v5 = rotate(v128.xor(v5, v9), 7);
      va = i32x4.add(va, ve); v6 = rotate(v128.xor(v6, va), 7);
      vb = i32x4.add(vb, vf); v7 = rotate(v128.xor(v7, vb), 7);
      v0 = i32x4.add(i32x4.add(v0, v5), word(words, order, 8)); vf = rotate16(v128.xor(vf, v0));
      v1 = i32x4.add(i32x4.add(v1, v6), word(words, order, 10)); vc = rotate16(v128.xor(vc, v1));
      v2 = i32x4.add(i32x4.add(v2, v7), word(words, order, 12)); vd = rotate16(v128.xor(vd, v2));
      v3 = i32x4.add(i32x4.add(v3, v4), word(words, order, 14)); ve = rotate16(v128.xor(ve, v3));
      va = i32x4.add(va, vf); v5 = rotate(v128.xor(v5, va), 12);
      vb = i32x4.add(vb, vc); v6 = rotate(v128.xor(v6, vb), 12);
      v8 = i32x4.add(v8, vd); v7 = rotate(v128.xor(v7, v8), 12);
      v9 = i32x4.add(v9, ve); v4 = rotate(v128.xor(v4, v9), 12);
      v0 = i32x4.add(i32x4.add(v0, v5), word(words, order, 9)); vf = rotate8(v128.xor(vf, v0));
      v1 = i32x4.add(i32x4.add(v1, v6), word(words, order, 11)); vc = rotate8(v128.xor(vc, v1));
      v2 = i32x4.add(i32x4.add(v2, v7), word(words, order, 13)); vd = rotate8(v128.xor(vd, v2));
      v3 = i32x4.add(i32x4.add(v3, v4), word(words, order, 15)); ve = rotate8(v128.xor(ve, v3));
      va = i32x4.add(va, vf); v5 = rotate(v128.xor(v5, va), 7);
      vb = i32x4.add(vb, vc); v6 = rotate(v128.xor(v6, vb), 7);
      v8 = i32x4.add(v8, vd); v7 = rotate(v128.xor(v7, v8), 7);
      v9 = i32x4.add(v9, ve); v4 = rotate(v128.xor(v4, v9), 7);
    }
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
