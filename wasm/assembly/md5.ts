/*
 * MD5 (RFC 1321). Its state is the 256 bytes of merkle.ts.
 */
import { BLOCK, COPY, LENGTH, padBlock } from "./merkle";

/** RFC 1321 section 3.4: T[i] = floor(2^32 x |sin(i + 1)|). */
const T: usize = memory.data<u32>([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1,
  0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453,
  0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
  0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
  0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d,
  0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
]);

/** Starts a hash in `state`: RFC 1321 section 3.3. */
export function md5Init(state: usize): void {
  store<u32>(state, 0x67452301);
  store<u32>(state, 0xefcdab89, 4);
  store<u32>(state, 0x98badcfe, 8);
  store<u32>(state, 0x10325476, 12);
  store<u64>(state, 0, LENGTH);
}

@inline
function add(a: u32, b: u32, mixed: u32, word: usize, pointer: usize, i: usize, rotation: u32): u32 {
  return b + rotl<u32>(a + mixed + load<u32>(pointer + (word << 2)) + load<u32>(T + (i << 2)), rotation);
}

@inline
function f(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

@inline
function h(x: u32, y: u32, z: u32): u32 {
  return x ^ y ^ z;
}

@inline
function k(x: u32, y: u32, z: u32): u32 {
  return y ^ (x | ~z);
}

function compress(state: usize, pointer: usize, end: usize): void {
  let h0 = load<u32>(state, 0);
  let h1 = load<u32>(state, 4);
  let h2 = load<u32>(state, 8);
  let h3 = load<u32>(state, 12);
  for (; pointer < end; pointer += 64) {
    let a = h0;
    let b = h1;
    let c = h2;
    let d = h3;
    for (let i: usize = 0; i < 16; i += 4) {
      a = add(a, b, f(b, c, d), i, pointer, i, 7);
      d = add(d, a, f(a, b, c), i + 1, pointer, i + 1, 12);
      c = add(c, d, f(d, a, b), i + 2, pointer, i + 2, 17);
      b = add(b, c, f(c, d, a), i + 3, pointer, i + 3, 22);
    }
    for (let i: usize = 16; i < 32; i += 4) {
      // G(x, y, z) = F(z, x, y); word (5i + 1) mod 16.
      a = add(a, b, f(d, b, c), (5 * i + 1) & 15, pointer, i, 5);
      d = add(d, a, f(c, a, b), (5 * i + 6) & 15, pointer, i + 1, 9);
      c = add(c, d, f(b, d, a), (5 * i + 11) & 15, pointer, i + 2, 14);
      b = add(b, c, f(a, c, d), (5 * i) & 15, pointer, i + 3, 20);
    }
    for (let i: usize = 32; i < 48; i += 4) {
      // Word (3i + 5) mod 16.
      a = add(a, b, h(b, c, d), (3 * i + 5) & 15, pointer, i, 4);
      d = add(d, a, h(a, b, c), (3 * i + 8) & 15, pointer, i + 1, 11);
      c = add(c, d, h(d, a, b), (3 * i + 11) & 15, pointer, i + 2, 16);
      b = add(b, c, h(c, d, a), (3 * i + 14) & 15, pointer, i + 3, 23);
    }
    for (let i: usize = 48; i < 64; i += 4) {
      // Word 7i mod 16.
      a = add(a, b, k(b, c, d), (7 * i) & 15, pointer, i, 6);
      d = add(d, a, k(a, b, c), (7 * i + 7) & 15, pointer, i + 1, 10);
      c = add(c, d, k(d, a, b), (7 * i + 14) & 15, pointer, i + 2, 15);
      b = add(b, c, k(c, d, a), (7 * i + 5) & 15, pointer, i + 3, 21);
    }
    h0 += a;
    h1 += b;
    h2 += c;
    h3 += d;
  }
  store<u32>(state, h0);
  store<u32>(state, h1, 4);
  store<u32>(state, h2, 8);
  store<u32>(state, h3, 12);
}

/** Adds bytes to the hash in `state`. */
export function md5Update(state: usize, pointer: usize, length: usize): void {
  const used = <usize>(load<u64>(state, LENGTH) & 63);
  store<u64>(state, load<u64>(state, LENGTH) + length, LENGTH);
  if (used > 0) {
    const room: usize = 64 - used;
    const part = length < room ? length : room;
    memory.copy(state + BLOCK + used, pointer, part);
    if (part < room) return;
    compress(state, state + BLOCK, state + BLOCK + 64);
    pointer += part;
    length -= part;
  }
  const bulk = length & ~63;
  if (bulk > 0) compress(state, pointer, pointer + bulk);
  memory.copy(state + BLOCK, pointer + bulk, length - bulk);
}

/** Writes the 16-byte digest of all bytes so far to `out`. */
export function md5Digest(state: usize, out: usize): void {
  const copy = state + COPY;
  memory.copy(copy, state, 128);
  if (padBlock(copy)) {
    compress(copy, copy + BLOCK, copy + BLOCK + 64);
    memory.fill(copy + BLOCK, 0, 64);
  }
  store<u64>(copy, load<u64>(copy, LENGTH) << 3, BLOCK + 56);
  compress(copy, copy + BLOCK, copy + BLOCK + 64);
  memory.copy(out, copy, 16);
}
