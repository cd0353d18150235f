/*
 * SHA-256 of four messages side by side: lane k of every vector belongs to message k.
 *
 * Lanes, 320 bytes, 16-byte aligned, owned by the caller:
 *     byte     type         what
 *        0     u32[4]       where the state of each message is, see sha256.ts
 *       16     u32[4]       where its next block is
 *       64     u32[16][4]   sixteen words of the schedule
 */
import { LENGTH } from "./merkle";
import { K } from "./sha256";
import { transpose } from "./transpose";

const WORDS: usize = 64;

@inline
function right(x: v128, bits: i32): v128 {
  return i32x4.shr_u(x, bits);
}

@inline
function left(x: v128, bits: i32): v128 {
  return i32x4.shl(x, bits);
}

@inline
function xor3(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

/** Words t + 16: W[t-2], W[t-7], W[t-15] and W[t-16] are at known places of the sixteen before. */
@inline
function extend(words: usize, index: usize): void {
  const at = words + (index << 4);
  const early = v128.load(words + (((index + 1) & 15) << 4));
  const late = v128.load(words + (((index + 14) & 15) << 4));
  const sigma0 = v128.xor(xor3(right(early, 7), left(early, 25), right(early, 3)), v128.xor(right(early, 18), left(early, 14)));
  const sigma1 = v128.xor(xor3(right(late, 17), left(late, 15), right(late, 10)), v128.xor(right(late, 19), left(late, 13)));
  const sum = i32x4.add(i32x4.add(v128.load(at), v128.load(words + (((index + 9) & 15) << 4))), i32x4.add(sigma0, sigma1));
  v128.store(at, sum);
}

/** What a round adds to d, and to h. */
@inline
function step(e: v128, f: v128, g: v128, h: v128, k: usize, words: usize, index: usize): v128 {
  const word = i32x4.add(v128.load(words + (index << 4)), v128.load32_splat(k + (index << 2)));
  const sum1 = v128.xor(xor3(right(e, 6), left(e, 26), right(e, 11)), xor3(left(e, 21), right(e, 25), left(e, 7)));
  return i32x4.add(i32x4.add(i32x4.add(h, word), v128.xor(g, v128.and(e, v128.xor(f, g)))), sum1);
}

@inline
function mix(a: v128, b: v128, c: v128): v128 {
  const sum0 = v128.xor(xor3(right(a, 2), left(a, 30), right(a, 13)), xor3(left(a, 19), right(a, 22), left(a, 10)));
  return i32x4.add(sum0, v128.xor(b, v128.and(v128.xor(a, b), v128.xor(b, c))));
}

@inline
function message(lanes: usize, lane: usize, part: usize): v128 {
  const x = v128.load(<usize>load<u32>(lanes + (lane << 2), 16) + part);
  return i8x16.swizzle(x, i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

/** Words of four chaining values, four and four, between the states and vectors. */
@inline
function turn(lanes: usize, offset: usize, out: usize): void {
  transpose(
    v128.load(<usize>load<u32>(lanes) + offset), v128.load(<usize>load<u32>(lanes, 4) + offset),
    v128.load(<usize>load<u32>(lanes, 8) + offset), v128.load(<usize>load<u32>(lanes, 12) + offset), out, 16,
  );
}

/** Takes `blocks` blocks of each of the four messages; none of them has bytes waiting in its state. */
export function sha256Four(lanes: usize, blocks: u32): void {
  const words = lanes + WORDS;
  turn(lanes, 0, words);
  turn(lanes, 16, words + 64);
  let h0 = v128.load(words);
  let h1 = v128.load(words, 16);
  let h2 = v128.load(words, 32);
  let h3 = v128.load(words, 48);
  let h4 = v128.load(words, 64);
  let h5 = v128.load(words, 80);
  let h6 = v128.load(words, 96);
  let h7 = v128.load(words, 112);
  for (let block: u32 = 0; block < blocks; block++) {
    for (let part: usize = 0; part < 64; part += 16) {
      transpose(
        message(lanes, 0, part), message(lanes, 1, part), message(lanes, 2, part), message(lanes, 3, part), words + (part << 2), 16,
      );
    }
    v128.store(lanes, i32x4.add(v128.load(lanes, 16), i32x4.splat(64)), 16);
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    let e = h4;
    let f = h5;
    let g = h6;
    let h = h7;
    for (let t: usize = 0; ; t += 64) {
      const k = K + t;
      h = step(e, f, g, h, k, words, 0); d = i32x4.add(d, h); h = i32x4.add(h, mix(a, b, c));
      g = step(d, e, f, g, k, words, 1); c = i32x4.add(c, g); g = i32x4.add(g, mix(h, a, b));
      f = step(c, d, e, f, k, words, 2); b = i32x4.add(b, f); f = i32x4.add(f, mix(g, h, a));
      e = step(b, c, d, e, k, words, 3); a = i32x4.add(a, e); e = i32x4.add(e, mix(f, g, h));
      d = step(a, b, c, d, k, words, 4); h = i32x4.add(h, d); d = i32x4.add(d, mix(e, f, g));
      c = step(h, a, b, c, k, words, 5); g = i32x4.add(g, c); c = i32x4.add(c, mix(d, e, f));
      b = step(g, h, a, b, k, words, 6); f = i32x4.add(f, b); b = i32x4.add(b, mix(c, d, e));
      a = step(f, g, h, a, k, words, 7); e = i32x4.add(e, a); a = i32x4.add(a, mix(b, c, d));
      h = step(e, f, g, h, k, words, 8); d = i32x4.add(d, h); h = i32x4.add(h, mix(a, b, c));
      g = step(d, e, f, g, k, words, 9); c = i32x4.add(c, g); g = i32x4.add(g, mix(h, a, b));
      f = step(c, d, e, f, k, words, 10); b = i32x4.add(b, f); f = i32x4.add(f, mix(g, h, a));
      e = step(b, c, d, e, k, words, 11); a = i32x4.add(a, e); e = i32x4.add(e, mix(f, g, h));
      d = step(a, b, c, d, k, words, 12); h = i32x4.add(h, d); d = i32x4.add(d, mix(e, f, g));
      c = step(h, a, b, c, k, words, 13); g = i32x4.add(g, c); c = i32x4.add(c, mix(d, e, f));
      b = step(g, h, a, b, k, words, 14); f = i32x4.add(f, b); b = i32x4.add(b, mix(c, d, e));
      a = step(f, g, h, a, k, words, 15); e = i32x4.add(e, a); a = i32x4.add(a, mix(b, c, d));
      if (t == 192) break;
      extend(words, 0);
      extend(words, 1);
      extend(words, 2);
      extend(words, 3);
      extend(words, 4);
      extend(words, 5);
      extend(words, 6);
      extend(words, 7);
      extend(words, 8);
      extend(words, 9);
      extend(words, 10);
      extend(words, 11);
      extend(words, 12);
      extend(words, 13);
      extend(words, 14);
      extend(words, 15);
    }
    h0 = i32x4.add(h0, a);
    h1 = i32x4.add(h1, b);
    h2 = i32x4.add(h2, c);
    h3 = i32x4.add(h3, d);
    h4 = i32x4.add(h4, e);
    h5 = i32x4.add(h5, f);
    h6 = i32x4.add(h6, g);
    h7 = i32x4.add(h7, h);
  }
  transpose(h0, h1, h2, h3, words, 32);
  transpose(h4, h5, h6, h7, words + 16, 32);
  for (let lane: usize = 0; lane < 4; lane++) {
    const state = <usize>load<u32>(lanes + (lane << 2));
    memory.copy(state, words + (lane << 5), 32);
    store<u64>(state, load<u64>(state, LENGTH) + ((<u64>blocks) << 6), LENGTH);
  }
}
