/*
 * XXH3 of at most 240 bytes, seed 0: the functions XXH3_len_* of xxhash.h (https://github.com/Cyan4973/xxHash).
 */
import { MX2, P32_2, P64_1, P64_2, P64_4, avalanche, avalanche64, fold64, high64, key, mix16, shiftXor } from "./xxh3-mix";

@inline
function combine(pointer: usize, length: usize): u32 {
  return (
    (<u32>load<u8>(pointer) << 16) |
    (<u32>load<u8>(pointer + (length >> 1)) << 24) |
    <u32>load<u8>(pointer + length - 1) |
    (<u32>length << 8)
  );
}

/** XXH3 with 64 bits. */
export function short64(pointer: usize, length: usize): u64 {
  if (length == 0) return avalanche64(key(56) ^ key(64));
  if (length < 4) return avalanche64(<u64>combine(pointer, length) ^ (key(0) & 0xffffffff) ^ (key(0) >> 32));
  if (length <= 8) {
    const input = <u64>load<u32>(pointer + length - 4) + (<u64>load<u32>(pointer) << 32);
    let hash = input ^ key(8) ^ key(16);
    hash ^= rotl<u64>(hash, 49) ^ rotl<u64>(hash, 24);
    hash *= MX2;
    hash ^= (hash >> 35) + length;
    return shiftXor(hash * MX2, 28);
  }
  if (length <= 16) {
    const low = load<u64>(pointer) ^ key(24) ^ key(32);
    const high = load<u64>(pointer + length - 8) ^ key(40) ^ key(48);
    return avalanche(<u64>length + bswap<u64>(low) + high + fold64(low, high));
  }
  let hash: u64 = <u64>length * P64_1;
  if (length <= 128) {
    for (let i: usize = 0; i <= (length - 1) >> 5; i++) {
      hash += mix16(pointer + 16 * i, 32 * i) + mix16(pointer + length - 16 * (i + 1), 32 * i + 16);
    }
    return avalanche(hash);
  }
  for (let i: usize = 0; i < 8; i++) hash += mix16(pointer + 16 * i, 16 * i);
  hash = avalanche(hash);
  for (let i: usize = 8; i < length >> 4; i++) hash += mix16(pointer + 16 * i, 16 * (i - 8) + 3);
  // 136 is XXH3_SECRET_SIZE_MIN, 17 XXH3_MIDSIZE_LASTOFFSET.
  return avalanche(hash + mix16(pointer + length - 16, 136 - 17));
}

/** Writes XXH3 with 128 bits to `out`: the lower half, then the upper one. */
export function short128(pointer: usize, length: usize, out: usize): void {
  let low: u64;
  let high: u64;
  if (length == 0) {
    low = avalanche64(key(64) ^ key(72));
    high = avalanche64(key(80) ^ key(88));
  } else if (length < 4) {
    const combined = combine(pointer, length);
    low = avalanche64(<u64>combined ^ (key(0) & 0xffffffff) ^ (key(0) >> 32));
    high = avalanche64(<u64>rotl<u32>(bswap<u32>(combined), 13) ^ (key(8) & 0xffffffff) ^ (key(8) >> 32));
  } else if (length <= 8) {
    const input = <u64>load<u32>(pointer) + (<u64>load<u32>(pointer + length - 4) << 32);
    const keyed = input ^ key(16) ^ key(24);
    const factor = P64_1 + (<u64>length << 2);
    low = keyed * factor;
    high = high64(keyed, factor) + (low << 1);
    low ^= high >> 3;
    low = shiftXor(shiftXor(low, 35) * MX2, 28);
    high = avalanche(high);
  } else if (length <= 16) {
    const first = load<u64>(pointer);
    let last = load<u64>(pointer + length - 8);
    const keyed = first ^ last ^ key(32) ^ key(40);
    last ^= key(48) ^ key(56);
    low = keyed * P64_1 + (<u64>(length - 1) << 54);
    high = high64(keyed, P64_1) + last + (last & 0xffffffff) * (P32_2 - 1);
    low ^= bswap<u64>(high);
    high = avalanche(high64(low, P64_2) + high * P64_2);
    low = avalanche(low * P64_2);
  } else {
    middle128(pointer, length, out);
    return;
  }
  store<u64>(out, low);
  store<u64>(out, high, 8);
}

@inline
function sum16(pointer: usize): u64 {
  return load<u64>(pointer) + load<u64>(pointer, 8);
}

function middle128(pointer: usize, length: usize, out: usize): void {
  let low: u64 = <u64>length * P64_1;
  let high: u64 = 0;
  if (length <= 128) {
    for (let i = <i32>((length - 1) >> 5); i >= 0; i--) {
      const one = pointer + 16 * i;
      const two = pointer + length - 16 * (i + 1);
      low = (low + mix16(one, 32 * i)) ^ sum16(two);
      high = (high + mix16(two, 32 * i + 16)) ^ sum16(one);
    }
  } else {
    for (let i: usize = 0; i < 128; i += 32) {
      const one = pointer + i;
      low = (low + mix16(one, i)) ^ sum16(one + 16);
      high = (high + mix16(one + 16, i + 16)) ^ sum16(one);
    }
    low = avalanche(low);
    high = avalanche(high);
    for (let i: usize = 160; i <= length; i += 32) {
      const one = pointer + i - 32;
      low = (low + mix16(one, i - 157)) ^ sum16(one + 16);
      high = (high + mix16(one + 16, i - 141)) ^ sum16(one);
    }
    const last = pointer + length - 16;
    low = (low + mix16(last, 136 - 17 - 16)) ^ sum16(last - 16);
    high = (high + mix16(last - 16, 136 - 17)) ^ sum16(last);
  }
  store<u64>(out, avalanche(low + high));
  store<u64>(out, 0 - avalanche(low * P64_1 + high * P64_4 + <u64>length * P64_2), 8);
}
