/*
 * The transpose of 4 x 4 words in two steps: rows a, b, c, d become left(lows(a, b), lows(c, d)), right of the same, and left and right of
 * the highs.
 */

@inline
export function lows(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 4, 1, 5);
}

@inline
export function highs(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 2, 6, 3, 7);
}

@inline
export function left(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 0, 2);
}

@inline
export function right(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 1, 3);
}

/** Writes the transpose of a, b, c, d to `out`, rows `stride` bytes apart. */
@inline
export function transpose(a: v128, b: v128, c: v128, d: v128, out: usize, stride: usize): void {
  const ab = lows(a, b), cd = lows(c, d), abHigh = highs(a, b), cdHigh = highs(c, d);
  v128.store(out, left(ab, cd));
  v128.store(out + stride, right(ab, cd));
  v128.store(out + 2 * stride, left(abHigh, cdHigh));
  v128.store(out + 3 * stride, right(abHigh, cdHigh));
}
