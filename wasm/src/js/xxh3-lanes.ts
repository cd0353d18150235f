import { avalanche, fold64, key, P32_1, P32_2, P32_3, P64_1, P64_2, P64_3, P64_4, P64_5, SECRET } from "./xxh3-mix.js";

/** Bytes of a stripe. */
export const STRIPE = 64;
/** Stripes between two scrambles: (secret of 192 bytes - 64) / 8. */
const STRIPES = 16;

/** XXH3_INIT_ACC. */
const INITIAL = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1];

/** The upper 32 bits of the product of two unsigned 32-bit integers, from products of 16 bits that a float64 holds exactly. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (cross >>> 16);
}

/**
 * The eight 64-bit lanes of XXH3 for inputs above 240 bytes. Each lane is two unsigned 32-bit halves, the lower first: BigInt would
 * be twenty times slower here (measured).
 */
export class Xxh3Lanes {
  readonly #halves: Uint32Array;
  readonly #secret = new DataView(SECRET.buffer);
  /** Stripes taken in the current block of sixteen. */
  #done = 0;

  constructor(from?: Xxh3Lanes) {
    this.#halves = from ? from.#halves.slice() : new Uint32Array(BigUint64Array.from(INITIAL, BigInt).buffer);
    if (from) this.#done = from.#done;
  }

  /** Takes whole stripes, and scrambles after each sixteenth. */
  consume(view: DataView, offset: number, stripes: number): void {
    for (let stripe = 0; stripe < stripes; stripe++) {
      this.#accumulate(view, offset + stripe * STRIPE, 8 * this.#done);
      if (++this.#done === STRIPES) {
        this.#scramble();
        this.#done = 0;
      }
    }
  }

  /** Takes the last 64 bytes of the input, which have a place of their own in the secret: 192 - 64 - 7. */
  consumeLast(view: DataView, offset: number): void {
    this.#accumulate(view, offset, 121);
  }

  /** XXH3_mergeAccs: 64 bits out of the eight lanes. */
  merge(secret: number, start: bigint): bigint {
    const lanes = new BigUint64Array(this.#halves.slice().buffer);
    let result = start;
    for (let i = 0; i < 8; i += 2) {
      result += fold64((lanes[i] ?? 0n) ^ key(secret + 8 * i), (lanes[i + 1] ?? 0n) ^ key(secret + 8 * i + 8));
    }
    return avalanche(BigInt.asUintN(64, result));
  }

  /** lane[i] += low half x high half of the keyed data; lane[i ^ 1] += the data. */
  #accumulate(view: DataView, offset: number, secret: number): void {
    for (let i = 0; i < STRIPE; i += 8) {
      const low = view.getUint32(offset + i, true);
      const high = view.getUint32(offset + i + 4, true);
      const a = low ^ this.#secret.getUint32(secret + i, true);
      const b = high ^ this.#secret.getUint32(secret + i + 4, true);
      this.#add(i >> 2, Math.imul(a, b) >>> 0, multiplyHigh(a, b));
      this.#add((i >> 2) ^ 2, low, high);
    }
  }

  #add(lane: number, low: number, high: number): void {
    const sum = (this.#halves[lane] ?? 0) + low;
    this.#halves[lane] = sum;
    this.#halves[lane + 1] = (this.#halves[lane + 1] ?? 0) + high + (sum > 0xffffffff ? 1 : 0);
  }

  /** lane = (lane ^ lane >> 47 ^ key) x P32_1. */
  #scramble(): void {
    for (let lane = 0; lane < 16; lane += 2) {
      const high = this.#halves[lane + 1] ?? 0;
      const low = (this.#halves[lane] ?? 0) ^ (high >>> 15) ^ this.#secret.getUint32(128 + 4 * lane, true);
      const keyed = high ^ this.#secret.getUint32(132 + 4 * lane, true);
      this.#halves[lane] = Math.imul(low, P32_1);
      this.#halves[lane + 1] = multiplyHigh(low, P32_1) + Math.imul(keyed, P32_1);
    }
  }
}
