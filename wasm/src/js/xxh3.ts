import type { Bytes } from "@ckptkit/core";
import type { IncrementalHash } from "./incremental-hash.js";
import { STRIPE, Xxh3Lanes } from "./xxh3-lanes.js";
import { low64, P64_1, P64_2 } from "./xxh3-mix.js";
import { short64, short128 } from "./xxh3-short.js";

/** Above this many bytes XXH3 works with stripes (XXH3_MIDSIZE_MAX). */
const SHORT_MAX = 240;
/** Bytes that are kept back: as many as a short input, in whole stripes. */
const BUFFER = 256;

/** What XXH3 with 64 and with 128 bits have in common: all but the digest. Seed 0. */
abstract class Xxh3 implements IncrementalHash {
  protected total = 0;
  readonly #lanes = new Xxh3Lanes();
  /** The last stripe taken, then the bytes that wait: the last stripe of a digest may need both. */
  readonly #buffer = new Uint8Array(STRIPE + BUFFER);
  readonly #view = new DataView(this.#buffer.buffer);
  #waiting = 0;

  update(bytes: Bytes): void {
    this.total += bytes.length;
    let rest = bytes;
    // A full buffer waits for one more byte: the last stripe of the input is not taken like the others.
    while (this.#waiting + rest.length > BUFFER) {
      if (this.#waiting === 0) {
        const stripes = Math.floor((rest.length - 1) / STRIPE);
        this.#lanes.consume(new DataView(rest.buffer, rest.byteOffset, rest.byteLength), 0, stripes);
        this.#buffer.set(rest.subarray((stripes - 1) * STRIPE, stripes * STRIPE));
        rest = rest.subarray(stripes * STRIPE);
      } else {
        const part = BUFFER - this.#waiting;
        this.#buffer.set(rest.subarray(0, part), STRIPE + this.#waiting);
        this.#lanes.consume(this.#view, STRIPE, BUFFER / STRIPE);
        this.#buffer.copyWithin(0, BUFFER);
        this.#waiting = 0;
        rest = rest.subarray(part);
      }
    }
    this.#buffer.set(rest, STRIPE + this.#waiting);
    this.#waiting += rest.length;
  }

  abstract digest(): Uint8Array;

  /** All of a short input. */
  protected short(): Uint8Array | undefined {
    return this.total <= SHORT_MAX ? this.#buffer.subarray(STRIPE, STRIPE + this.total) : undefined;
  }

  /** The lanes after the last stripe. */
  protected finish(): Xxh3Lanes {
    const lanes = new Xxh3Lanes(this.#lanes);
    lanes.consume(this.#view, STRIPE, Math.floor(Math.max(0, this.#waiting - 1) / STRIPE));
    lanes.consumeLast(this.#view, this.#waiting);
    return lanes;
  }
}

/** Values as bytes, the most significant first: XXH's canonical form. */
function canonical(...words: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * words.length));
  for (const [index, word] of words.entries()) view.setBigUint64(8 * index, word);
  return new Uint8Array(view.buffer);
}

class Xxh3With64 extends Xxh3 {
  digest(): Uint8Array {
    const short = this.short();
    return canonical(short ? short64(short) : this.finish().merge(11, low64(BigInt(this.total) * P64_1)));
  }
}

class Xxh3With128 extends Xxh3 {
  digest(): Uint8Array {
    const short = this.short();
    if (short) {
      const [low, high] = short128(short);
      return canonical(high, low);
    }
    const lanes = this.finish();
    const low = lanes.merge(11, low64(BigInt(this.total) * P64_1));
    return canonical(lanes.merge(192 - 64 - 11, low64(~(BigInt(this.total) * P64_2))), low);
  }
}

/**
 * An incremental XXH3 with 64 bits, seed 0.
 *
 * @see https://github.com/Cyan4973/xxHash
 */
export function xxh3Hash(): IncrementalHash {
  return new Xxh3With64();
}

/**
 * An incremental XXH3 with 128 bits, seed 0.
 *
 * @see https://github.com/Cyan4973/xxHash
 */
export function xxh3Hash128(): IncrementalHash {
  return new Xxh3With128();
}
