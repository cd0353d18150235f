/*
 * SHA-256 (FIPS 180-4).
 *
 * State, 512 bytes, owned by the caller: the 256 bytes of merkle.ts, then
 *      256     u32[64]    message schedule W plus the round constants K
 */
import { BLOCK, COPY, LENGTH, padBlock } from "./merkle";

const SCHEDULE: usize = 256;

/** Round constants, FIPS 180-4 section 4.2.2: the fractional parts of the cube roots of the first 64 primes. */
export const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
], 16);

/** Initial hash value, FIPS 180-4 section 5.3.3. */
const INITIAL: usize = memory.data<u32>(
  [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
  16,
);

/** Starts a hash in `state`. */
export function sha256Init(state: usize): void {
  memory.copy(state, INITIAL, 32);
  store<u64>(state, 0, LENGTH);
}

@inline
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits));
}

@inline
function sigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 7), rotate(x, 18)), i32x4.shr_u(x, 3));
}

@inline
function sigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotate(x, 17), rotate(x, 19)), i32x4.shr_u(x, 10));
}

@inline
function bigEndian(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** The four words of the schedule after the sixteen in a, b, c, d. */
@inline
function next(a: v128, b: v128, c: v128, d: v128): v128 {
  // W[t] = sigma1(W[t-2]) + W[t-7] + sigma0(W[t-15]) + W[t-16]: the last two of the four need the first two.
  const partial = i32x4.add(
    i32x4.add(a, sigma0(v128.shuffle<u32>(a, b, 1, 2, 3, 4))),
    v128.shuffle<u32>(c, d, 1, 2, 3, 4),
  );
  const zero = i32x4.splat(0);
  const first = i32x4.add(partial, sigma1(v128.shuffle<u32>(d, zero, 2, 3, 4, 4)));
  return i32x4.add(first, sigma1(v128.shuffle<u32>(zero, first, 0, 0, 4, 5)));
}

@inline
function step(e: u32, f: u32, g: u32, h: u32, word: u32): u32 {
  return h + (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + (g ^ (e & (f ^ g))) + word;
}

@inline
function mix(a: u32, b: u32, c: u32): u32 {
  return (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + ((a & b) | (c & (a | b)));
}

/** Hashes whole blocks. The schedule of a block is at state + 256, W and K already added. */
function compress(state: usize, schedule: usize, pointer: usize, end: usize): void {
  let h0 = load<u32>(state, 0);
  let h1 = load<u32>(state, 4);
  let h2 = load<u32>(state, 8);
  let h3 = load<u32>(state, 12);
  let h4 = load<u32>(state, 16);
  let h5 = load<u32>(state, 20);
  let h6 = load<u32>(state, 24);
  let h7 = load<u32>(state, 28);
  for (; pointer < end; pointer += 64) {
    let w0 = bigEndian(v128.load(pointer));
    let w1 = bigEndian(v128.load(pointer, 16));
    let w2 = bigEndian(v128.load(pointer, 32));
    let w3 = bigEndian(v128.load(pointer, 48));
    v128.store(schedule, i32x4.add(w0, v128.load(K)));
    v128.store(schedule, i32x4.add(w1, v128.load(K, 16)), 16);
    v128.store(schedule, i32x4.add(w2, v128.load(K, 32)), 32);
    v128.store(schedule, i32x4.add(w3, v128.load(K, 48)), 48);
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    let e = h4;
    let f = h5;
    let g = h6;
    let h = h7;
    for (let t: usize = 0; t < 256; t += 64) {
      const w = schedule + t;
      h = step(e, f, g, h, load<u32>(w)); d += h; h += mix(a, b, c);
      g = step(d, e, f, g, load<u32>(w, 4)); c += g; g += mix(h, a, b);
      f = step(c, d, e, f, load<u32>(w, 8)); b += f; f += mix(g, h, a);
      e = step(b, c, d, e, load<u32>(w, 12)); a += e; e += mix(f, g, h);
      d = step(a, b, c, d, load<u32>(w, 16)); h += d; d += mix(e, f, g);
      c = step(h, a, b, c, load<u32>(w, 20)); g += c; c += mix(d, e, f);
      b = step(g, h, a, b, load<u32>(w, 24)); f += b; b += mix(c, d, e);
      a = step(f, g, h, a, load<u32>(w, 28)); e += a; a += mix(b, c, d);
      h = step(e, f, g, h, load<u32>(w, 32)); d += h; h += mix(a, b, c);
      g = step(d, e, f, g, load<u32>(w, 36)); c += g; g += mix(h, a, b);
      f = step(c, d, e, f, load<u32>(w, 40)); b += f; f += mix(g, h, a);
      e = step(b, c, d, e, load<u32>(w, 44)); a += e; e += mix(f, g, h);
      d = step(a, b, c, d, load<u32>(w, 48)); h += d; d += mix(e, f, g);
      c = step(h, a, b, c, load<u32>(w, 52)); g += c; c += mix(d, e, f);
      b = step(g, h, a, b, load<u32>(w, 56)); f += b; b += mix(c, d, e);
      a = step(f, g, h, a, load<u32>(w, 60)); e += a; a += mix(b, c, d);
      if (t < 192) {
        w0 = next(w0, w1, w2, w3);
        w1 = next(w1, w2, w3, w0);
        w2 = next(w2, w3, w0, w1);
        w3 = next(w3, w0, w1, w2);
        v128.store(w, i32x4.add(w0, v128.load(K + t, 64)), 64);
        v128.store(w, i32x4.add(w1, v128.load(K + t, 80)), 80);
        v128.store(w, i32x4.add(w2, v128.load(K + t, 96)), 96);
        v128.store(w, i32x4.add(w3, v128.load(K + t, 112)), 112);
      }
    }
    h0 += a;
    h1 += b;
    h2 += c;
    h3 += d;
    h4 += e;
    h5 += f;
    h6 += g;
    h7 += h;
  }
  store<u32>(state, h0);
  store<u32>(state, h1, 4);
  store<u32>(state, h2, 8);
  store<u32>(state, h3, 12);
  store<u32>(state, h4, 16);
  store<u32>(state, h5, 20);
  store<u32>(state, h6, 24);
  store<u32>(state, h7, 28);
}

/** Adds bytes to the hash in `state`. */
export function sha256Update(state: usize, pointer: usize, length: usize): void {
  const used = <usize>(load<u64>(state, LENGTH) & 63);
  store<u64>(state, load<u64>(state, LENGTH) + length, LENGTH);
  const schedule = state + SCHEDULE;
  if (used > 0) {
    const room: usize = 64 - used;
    const part = length < room ? length : room;
    memory.copy(state + BLOCK + used, pointer, part);
    if (part < room) return;
    compress(state, schedule, state + BLOCK, state + BLOCK + 64);
    pointer += part;
    length -= part;
  }
  const bulk = length & ~63;
  if (bulk > 0) compress(state, schedule, pointer, pointer + bulk);
  memory.copy(state + BLOCK, pointer + bulk, length - bulk);
}

/** Writes the 32-byte digest of all bytes so far to `out`. */
export function sha256Digest(state: usize, out: usize): void {
  const copy = state + COPY;
  const schedule = state + SCHEDULE;
  memory.copy(copy, state, 128);
  if (padBlock(copy)) {
    compress(copy, schedule, copy + BLOCK, copy + BLOCK + 64);
    memory.fill(copy + BLOCK, 0, 64);
  }
  store<u64>(copy, bswap<u64>(load<u64>(copy, LENGTH) << 3), BLOCK + 56);
  compress(copy, schedule, copy + BLOCK, copy + BLOCK + 64);
  v128.store(out, bigEndian(v128.load(copy)));
  v128.store(out, bigEndian(v128.load(copy, 16)), 16);
}
