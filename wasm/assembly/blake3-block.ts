/*
 * BLAKE3's compression function, one block at a time: the four rows of the state are four vectors.
 * See section 2.2 of https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf.
 */

/** Initial chaining value: that of SHA-256, FIPS 180-4 section 5.3.3. */
export const IV: usize = memory.data<u32>(
  [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
  16,
);

export const CHUNK_START: u32 = 1;
export const CHUNK_END: u32 = 2;
export const PARENT: u32 = 4;
export const ROOT: u32 = 8;

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

/** Compresses the 64 bytes at `block` with the 32-byte chaining value at `value`; writes the new value to `out` (may be `value`). */
export function compressBlock(value: usize, block: usize, counter: u64, length: u32, flags: u32, out: usize): void {
  let a = v128.load(value);
  let b = v128.load(value, 16);
  let c = v128.load(IV);
  let d = i64x2.splat(<i64>counter);
  d = i32x4.replace_lane(d, 2, length);
  d = i32x4.replace_lane(d, 3, flags);
  const w0 = v128.load(block);
  const w1 = v128.load(block, 16);
  const w2 = v128.load(block, 32);
  const w3 = v128.load(block, 48);
  // Words in the order in which the columns, then the diagonals, take them. The diagonals are reached by turning rows a, c
  // and d against b, which keeps the longest chain of additions short.
  let m0 = v128.shuffle<u32>(w0, w1, 0, 2, 4, 6);
  let m1 = v128.shuffle<u32>(w0, w1, 1, 3, 5, 7);
  let m2 = v128.shuffle<u32>(w2, w3, 6, 0, 2, 4);
  let m3 = v128.shuffle<u32>(w2, w3, 7, 1, 3, 5);
  for (let round = 0; ; ) {
    a = i32x4.add(i32x4.add(a, m0), b);
    d = rotate16(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate(v128.xor(b, c), 12);
    a = i32x4.add(i32x4.add(a, m1), b);
    d = rotate8(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate(v128.xor(b, c), 7);
    a = v128.shuffle<u32>(a, a, 3, 0, 1, 2);
    d = v128.shuffle<u32>(d, d, 2, 3, 0, 1);
    c = v128.shuffle<u32>(c, c, 1, 2, 3, 0);
    a = i32x4.add(i32x4.add(a, m2), b);
    d = rotate16(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate(v128.xor(b, c), 12);
    a = i32x4.add(i32x4.add(a, m3), b);
    d = rotate8(v128.xor(d, a));
    c = i32x4.add(c, d);
    b = rotate(v128.xor(b, c), 7);
    a = v128.shuffle<u32>(a, a, 1, 2, 3, 0);
    d = v128.shuffle<u32>(d, d, 2, 3, 0, 1);
    c = v128.shuffle<u32>(c, c, 3, 0, 1, 2);
    if (++round == 7) break;
    // The specification's permutation of the message, carried out in this order of words.
    const t0 = v128.shuffle<u32>(m0, m1, 1, 5, 7, 2);
    const t1 = v128.shuffle<u32>(v128.shuffle<u32>(m0, m2, 3, 6, 0, 0), m3, 0, 1, 2, 7);
    const t2 = v128.shuffle<u32>(v128.shuffle<u32>(m3, m1, 0, 4, 0, 1), m2, 0, 1, 7, 3);
    m3 = v128.shuffle<u32>(v128.shuffle<u32>(m2, m3, 1, 6, 0, 0), m1, 0, 1, 6, 3);
    m0 = t0;
    m1 = t1;
    m2 = t2;
  }
  v128.store(out, v128.xor(a, c));
  v128.store(out, v128.xor(b, d), 16);
}
