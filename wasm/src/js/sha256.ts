import { BlockHash } from "./block-hash.js";
import type { IncrementalHash } from "./incremental-hash.js";

/** Round constants, FIPS 180-4 section 4.2.2: the fractional parts of the cube roots of the first 64 primes. */
const K = /* @__PURE__ */ Int32Array.from([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** Initial hash value, FIPS 180-4 section 5.3.3. */
const INITIAL = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

const rotate = (x: number, bits: number): number => (x >>> bits) | (x << (32 - bits));

/** Message schedule, FIPS 180-4 section 6.2.2 step 1. Used within one call only. */
const W = /* @__PURE__ */ new Int32Array(64);

/** FIPS 180-4 section 6.2.2. */
function compress(value: Int32Array, block: DataView, offset: number): void {
  for (let t = 0; t < 16; t++) W[t] = block.getInt32(offset + 4 * t);
  for (let t = 16; t < 64; t++) {
    const early = W[t - 15] ?? 0;
    const late = W[t - 2] ?? 0;
    const sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    W[t] = sigma1 + (W[t - 7] ?? 0) + sigma0 + (W[t - 16] ?? 0);
  }
  let a = value[0] ?? 0;
  let b = value[1] ?? 0;
  let c = value[2] ?? 0;
  let d = value[3] ?? 0;
  let e = value[4] ?? 0;
  let f = value[5] ?? 0;
  let g = value[6] ?? 0;
  let h = value[7] ?? 0;
  for (let t = 0; t < 64; t++) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = g ^ (e & (f ^ g));
    const t1 = (h + sum1 + choice + (K[t] ?? 0) + (W[t] ?? 0)) | 0;
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) | (c & (a | b));
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + sum0 + majority) | 0;
  }
  value[0] = (value[0] ?? 0) + a;
  value[1] = (value[1] ?? 0) + b;
  value[2] = (value[2] ?? 0) + c;
  value[3] = (value[3] ?? 0) + d;
  value[4] = (value[4] ?? 0) + e;
  value[5] = (value[5] ?? 0) + f;
  value[6] = (value[6] ?? 0) + g;
  value[7] = (value[7] ?? 0) + h;
}

/**
 * An incremental SHA-256.
 *
 * @see https://doi.org/10.6028/NIST.FIPS.180-4
 */
export function sha256Hash(): IncrementalHash {
  return new BlockHash({ initial: INITIAL, littleEndian: false, compress });
}
