/*
 * CRC-32 and CRC-32C over any bytes, by polynomial folding and 16-fold slicing.
 *
 * Context of one polynomial, 28672 bytes, 64-byte aligned, owned by the caller and read-only between calls:
 *     byte        type            what
 *        0        u32[16][256]    tables: table[k][b] = register after byte b and k zero bytes, from a zero register
 *    16384        v128[2][256]    ring of the last 256 quotients, stored twice, so that a look back never wraps
 *    24576        v128[256]       what is left of the message once all but its last vectors are cancelled
 *
 * Folding. Let y = x^128, so that a message of 16-byte vectors m[0..n) is a polynomial in y whose coefficients are the
 * vectors. A sparse multiple of the CRC's polynomial P of the shape y^D + y^(D-a) + y^(D-b) + ... + 1 may be added to the message at
 * any place without changing its remainder. Choosing the places from the front so that each vector becomes zero gives
 *     q[i] = m[i] ^ q[i-a] ^ q[i-b] ^ ... ^ q[i-D]
 * and leaves only the last D vectors, for the tables. There is no carry-less multiplication and no table in that loop, only
 * five loads and five exclusive-ors for 16 bytes.
 * The idea is that of Chorba (K. Sutcliffe and others, https://arxiv.org/abs/2412.16398); the taps below are multiples with
 * six terms in powers of x^128, the smallest D found by exhaustive search whose taps are all >= 4. P of CRC-32C is divisible by
 * x + 1, so it has no multiples with an odd number of terms.
 */

const RING: usize = 16384;
const RING_HALF: usize = 4096;
const REST: usize = 24576;
/** Below this many bytes folding does not pay for the tables' work on the rest. */
const FOLD_MIN: usize = 8192;

/** Reflected polynomial of CRC-32 (ISO-HDLC): what tells its context from that of CRC-32C. */
const CRC32: u32 = 0xedb88320;

/** Fills the tables of `context` for a reflected polynomial: 0xedb88320 (CRC-32) or 0x82f63b78 (CRC-32C). */
export function crc32Init(context: usize, polynomial: u32): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let register = byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (polynomial & (0 - (register & 1)));
    store<u32>(context + (byte << 2), register);
  }
  for (let entry: usize = 256; entry < 4096; entry++) {
    const shorter = load<u32>(context + ((entry - 256) << 2));
    store<u32>(context + (entry << 2), (shorter >>> 8) ^ load<u32>(context + ((shorter & 255) << 2)));
  }
}

@inline
function entry(context: usize, table: usize, word: u32, shift: u32): u32 {
  return load<u32>(context + (table << 10) + (((word >>> shift) & 255) << 2));
}

/** The register after `length` more bytes, by table. */
function slice(context: usize, register: u32, pointer: usize, length: usize): u32 {
  const end = pointer + length;
  for (; pointer + 16 <= end; pointer += 16) {
    const a = load<u32>(pointer) ^ register;
    const b = load<u32>(pointer, 4);
    const c = load<u32>(pointer, 8);
    const d = load<u32>(pointer, 12);
    register =
      entry(context, 15, a, 0) ^ entry(context, 14, a, 8) ^ entry(context, 13, a, 16) ^ entry(context, 12, a, 24) ^
      (entry(context, 11, b, 0) ^ entry(context, 10, b, 8) ^ entry(context, 9, b, 16) ^ entry(context, 8, b, 24)) ^
      (entry(context, 7, c, 0) ^ entry(context, 6, c, 8) ^ entry(context, 5, c, 16) ^ entry(context, 4, c, 24)) ^
      (entry(context, 3, d, 0) ^ entry(context, 2, d, 8) ^ entry(context, 1, d, 16) ^ entry(context, 0, d, 24));
  }
  for (; pointer < end; pointer++) register = (register >>> 8) ^ entry(context, 0, register ^ load<u8>(pointer), 0);
  return register;
}

@inline
function quotient(pointer: usize, a: usize, b: usize, c: usize, d: usize, e: usize, offset: usize): v128 {
  return v128.xor(
    v128.xor(v128.xor(v128.load(pointer + offset), v128.load(a + offset)), v128.xor(v128.load(b + offset), v128.load(c + offset))),
    v128.xor(v128.load(d + offset), v128.load(e + offset)),
  );
}

/** Stores the quotients of four vectors in both halves of the ring. */
@inline
function keep(at: usize, q0: v128, q1: v128, q2: v128, q3: v128): void {
  v128.store(at, q0);
  v128.store(at, q1, 16);
  v128.store(at, q2, 32);
  v128.store(at, q3, 48);
  v128.store(at, q0, RING_HALF);
  v128.store(at, q1, RING_HALF + 16);
  v128.store(at, q2, RING_HALF + 32);
  v128.store(at, q3, RING_HALF + 48);
}

/** The register after `length` bytes, a multiple of 64 and at least FOLD_MIN. Taps count vectors, 4 <= a < b < c < d < e < 256. */
@inline
function fold(context: usize, register: u32, pointer: usize, length: usize, a: usize, b: usize, c: usize, d: usize, e: usize): u32 {
  const ring = context + RING;
  const rest = context + REST;
  const toA = RING_HALF - (a << 4);
  const toB = RING_HALF - (b << 4);
  const toC = RING_HALF - (c << 4);
  const toD = RING_HALF - (d << 4);
  const toE = RING_HALF - (e << 4);
  const end = pointer + length;
  memory.fill(ring, 0, RING_HALF * 2);
  // A register that is not zero stands for a message before this one: it is added to the first four bytes. No tap reaches
  // back from the first four vectors, so they are their own quotients.
  keep(
    ring,
    v128.replace_lane<u32>(v128.load(pointer), 0, load<u32>(pointer) ^ register),
    v128.load(pointer, 16),
    v128.load(pointer, 32),
    v128.load(pointer, 48),
  );
  let position: usize = 64;
  for (pointer += 64; pointer < end; pointer += 64) {
    const at = ring + position;
    const pa = at + toA;
    const pb = at + toB;
    const pc = at + toC;
    const pd = at + toD;
    const pe = at + toE;
    const q0 = quotient(pointer, pa, pb, pc, pd, pe, 0);
    const q1 = quotient(pointer, pa, pb, pc, pd, pe, 16);
    const q2 = quotient(pointer, pa, pb, pc, pd, pe, 32);
    const q3 = quotient(pointer, pa, pb, pc, pd, pe, 48);
    keep(at, q0, q1, q2, q3);
    position = (position + 64) & (RING_HALF - 1);
  }
  // The last e quotients were one cancellation too far: taking them back gives the vectors that the tables shall see.
  const last = ring + position + RING_HALF - (e << 4);
  for (let i: usize = 0; i < e; i++) {
    const at = last + (i << 4);
    let left = v128.load(at);
    if (i >= a) left = v128.xor(left, v128.load(at - (a << 4)));
    if (i >= b) left = v128.xor(left, v128.load(at - (b << 4)));
    if (i >= c) left = v128.xor(left, v128.load(at - (c << 4)));
    if (i >= d) left = v128.xor(left, v128.load(at - (d << 4)));
    v128.store(rest + (i << 4), left);
  }
  return slice(context, 0, rest, e << 4);
}

/**
 * The register after `length` more bytes. A caller starts from 0xffffffff and inverts the last register, as both CRCs want.
 * `polynomial` is the one that `context` was made for.
 */
export function crc32Update(context: usize, polynomial: u32, register: u32, pointer: usize, length: usize): u32 {
  if (length >= FOLD_MIN) {
    const bulk = length & ~63;
    register =
      polynomial == CRC32
        ? fold(context, register, pointer, bulk, 17, 80, 118, 124, 203)
        : fold(context, register, pointer, bulk, 25, 144, 169, 198, 210);
    pointer += bulk;
    length -= bulk;
  }
  return slice(context, register, pointer, length);
}
