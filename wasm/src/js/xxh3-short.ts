import {
  avalanche,
  avalanche64,
  fold64,
  key,
  low64,
  MX2,
  mix16,
  P32_2,
  P64_1,
  P64_2,
  P64_4,
  read32,
  read64,
  SECRET,
  shiftXor,
  swap64,
} from "./xxh3-mix.js";

const rotate64 = (x: bigint, bits: bigint): bigint => low64(x << bits) | (x >> (64n - bits));

/** The one to three bytes and their number in one word. */
function combine(bytes: Uint8Array): number {
  const length = bytes.length;
  const [first = 0, middle = 0, last = 0] = [bytes[0], bytes[length >> 1], bytes[length - 1]];
  return ((first << 16) | (middle << 24) | last | (length << 8)) >>> 0;
}

/** XXH3 with 64 bits of at most 240 bytes: XXH3_len_*_64b with seed 0. */
export function short64(bytes: Uint8Array): bigint {
  const length = bytes.length;
  const size = BigInt(length);
  if (length === 0) return avalanche64(key(56) ^ key(64));
  if (length < 4) return avalanche64(BigInt(combine(bytes)) ^ read32(SECRET, 0) ^ read32(SECRET, 4));
  if (length <= 8) {
    const keyed = (read32(bytes, length - 4) + (read32(bytes, 0) << 32n)) ^ key(8) ^ key(16);
    const mixed = low64((keyed ^ rotate64(keyed, 49n) ^ rotate64(keyed, 24n)) * MX2);
    return shiftXor(low64((mixed ^ ((mixed >> 35n) + size)) * MX2), 28n);
  }
  if (length <= 16) {
    const low = read64(bytes, 0) ^ key(24) ^ key(32);
    const high = read64(bytes, length - 8) ^ key(40) ^ key(48);
    return avalanche(low64(size + swap64(low) + high + fold64(low, high)));
  }
  let hash = size * P64_1;
  if (length <= 128) {
    for (let i = 0; i <= (length - 1) >> 5; i++) {
      hash += mix16(bytes, 16 * i, 32 * i) + mix16(bytes, length - 16 * (i + 1), 32 * i + 16);
    }
    return avalanche(low64(hash));
  }
  for (let i = 0; i < 8; i++) hash += mix16(bytes, 16 * i, 16 * i);
  hash = avalanche(low64(hash));
  for (let i = 8; i < length >> 4; i++) hash += mix16(bytes, 16 * i, 16 * (i - 8) + 3);
  // 136 is XXH3_SECRET_SIZE_MIN, 17 XXH3_MIDSIZE_LASTOFFSET.
  return avalanche(low64(hash + mix16(bytes, length - 16, 136 - 17)));
}

/** XXH3 with 128 bits of at most 240 bytes, XXH3_len_*_128b with seed 0: the lower half, then the upper one. */
export function short128(bytes: Uint8Array): [low: bigint, high: bigint] {
  const length = bytes.length;
  if (length === 0) return [avalanche64(key(64) ^ key(72)), avalanche64(key(80) ^ key(88))];
  if (length < 4) {
    const low = combine(bytes);
    const swapped = swap64(BigInt(low)) >> 32n;
    const high = ((swapped << 13n) | (swapped >> 19n)) & 0xffffffffn;
    return [avalanche64(BigInt(low) ^ read32(SECRET, 0) ^ read32(SECRET, 4)), avalanche64(high ^ read32(SECRET, 8) ^ read32(SECRET, 12))];
  }
  if (length <= 8) {
    const keyed = (read32(bytes, 0) + (read32(bytes, length - 4) << 32n)) ^ key(16) ^ key(24);
    const product = keyed * (P64_1 + (BigInt(length) << 2n));
    const high = low64((product >> 64n) + (low64(product) << 1n));
    const low = shiftXor(low64(product) ^ (high >> 3n), 35n);
    return [shiftXor(low64(low * MX2), 28n), avalanche(high)];
  }
  if (length <= 16) {
    const last = read64(bytes, length - 8);
    const product = (read64(bytes, 0) ^ last ^ key(32) ^ key(40)) * P64_1;
    const keyed = last ^ key(48) ^ key(56);
    const upper = low64((product >> 64n) + keyed + (keyed & 0xffffffffn) * BigInt(P32_2 - 1));
    const lower = low64(product + (BigInt(length - 1) << 54n)) ^ swap64(upper);
    const final = lower * P64_2;
    return [avalanche(low64(final)), avalanche(low64((final >> 64n) + upper * P64_2))];
  }
  return middle128(bytes);
}

/** 17 to 240 bytes. */
function middle128(bytes: Uint8Array): [low: bigint, high: bigint] {
  const length = bytes.length;
  let low = low64(BigInt(length) * P64_1);
  let high = 0n;
  // XXH128_mix32B
  const mix = (one: number, two: number, secret: number): void => {
    low = low64(low + mix16(bytes, one, secret)) ^ low64(read64(bytes, two) + read64(bytes, two + 8));
    high = low64(high + mix16(bytes, two, secret + 16)) ^ low64(read64(bytes, one) + read64(bytes, one + 8));
  };
  if (length <= 128) {
    for (let i = (length - 1) >> 5; i >= 0; i--) mix(16 * i, length - 16 * (i + 1), 32 * i);
  } else {
    for (let i = 0; i < 128; i += 32) mix(i, i + 16, i);
    low = avalanche(low);
    high = avalanche(high);
    for (let i = 160; i <= length; i += 32) mix(i - 32, i - 16, i - 157);
    mix(length - 16, length - 32, 136 - 17 - 16);
  }
  const upper = avalanche(low64(low * P64_1 + high * P64_4 + BigInt(length) * P64_2));
  return [avalanche(low64(low + high)), low64(-upper)];
}
