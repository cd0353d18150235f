/*
 * XXH3's accumulator for inputs above 240 bytes: eight 64-bit lanes, 64-byte stripes, blocks of sixteen stripes.
 * See xxhash.h of the reference implementation (https://github.com/Cyan4973/xxHash), "Long Keys".
 */
import { P32_1, P32_2, P32_3, P64_1, P64_2, P64_3, P64_4, P64_5, SECRET, avalanche, fold64 } from "./xxh3-mix";

/** Stripes between two scrambles: (secret of 192 bytes - 64) / 8. */
export const STRIPES: u32 = 16;

/** XXH3_INIT_ACC. */
export function initLanes(lanes: usize): void {
  store<u64>(lanes, P32_3);
  store<u64>(lanes, P64_1, 8);
  store<u64>(lanes, P64_2, 16);
  store<u64>(lanes, P64_3, 24);
  store<u64>(lanes, P64_4, 32);
  store<u64>(lanes, P32_2, 40);
  store<u64>(lanes, P64_5, 48);
  store<u64>(lanes, P32_1, 56);
}

/** Two lanes: lane += swapped partner's data + low half of the keyed data x its high half. */
@inline
function accumulate(lane: v128, pointer: usize, secret: usize, offset: usize): v128 {
  const data = v128.load(pointer + offset);
  const keyed = v128.xor(data, v128.load(secret + offset));
  const low = v128.shuffle<u32>(keyed, keyed, 0, 2, 0, 2);
  const high = v128.shuffle<u32>(keyed, keyed, 1, 3, 1, 3);
  return i64x2.add(i64x2.add(lane, v128.shuffle<u64>(data, data, 1, 0)), i64x2.extmul_low_i32x4_u(low, high));
}

@inline
function scramble(lane: v128, offset: usize): v128 {
  const keyed = v128.xor(v128.xor(lane, i64x2.shr_u(lane, 47)), v128.load(SECRET + 128 + offset));
  return i64x2.mul(keyed, i64x2.splat(P32_1));
}

/**
 * Takes whole stripes, `done` of which were taken in the block before; returns how many have been taken in the block after.
 * A block is scrambled as soon as its sixteenth stripe has been taken.
 */
export function consume(lanes: usize, done: u32, pointer: usize, stripes: usize): u32 {
  let a = v128.load(lanes);
  let b = v128.load(lanes, 16);
  let c = v128.load(lanes, 32);
  let d = v128.load(lanes, 48);
  const end = pointer + (stripes << 6);
  while (pointer < end) {
    const left = <usize>(STRIPES - done) << 6;
    const stop = end - pointer < left ? end : pointer + left;
    let secret = SECRET + (done << 3);
    done += <u32>((stop - pointer) >> 6);
    for (; pointer < stop; pointer += 64, secret += 8) {
      a = accumulate(a, pointer, secret, 0);
      b = accumulate(b, pointer, secret, 16);
      c = accumulate(c, pointer, secret, 32);
      d = accumulate(d, pointer, secret, 48);
    }
    if (done == STRIPES) {
      a = scramble(a, 0);
      b = scramble(b, 16);
      c = scramble(c, 32);
      d = scramble(d, 48);
      done = 0;
    }
  }
  v128.store(lanes, a);
  v128.store(lanes, b, 16);
  v128.store(lanes, c, 32);
  v128.store(lanes, d, 48);
  return done;
}

/** Takes the last 64 bytes of the input, which have a place of their own in the secret: 192 - 64 - 7. */
export function consumeLast(lanes: usize, pointer: usize): void {
  for (let offset: usize = 0; offset < 64; offset += 16) {
    v128.store(lanes + offset, accumulate(v128.load(lanes + offset), pointer, SECRET + 121, offset));
  }
}

/** XXH3_mergeAccs: 64 bits out of the eight lanes. */
export function merge(lanes: usize, secret: usize, start: u64): u64 {
  let result = start;
  for (let offset: usize = 0; offset < 64; offset += 16) {
    result += fold64(
      load<u64>(lanes + offset) ^ load<u64>(secret + offset),
      load<u64>(lanes + offset, 8) ^ load<u64>(secret + offset, 8),
    );
  }
  return avalanche(result);
}
