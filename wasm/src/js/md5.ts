import { BlockHash } from "./block-hash.js";
import type { IncrementalHash } from "./incremental-hash.js";

/** RFC 1321 section 3.4: T[i] = floor(2^32 x |sin(i + 1)|). */
const T = /* @__PURE__ */ Int32Array.from([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1,
  0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453,
  0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
  0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
  0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d,
  0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
]);
/** RFC 1321 section 3.3. */
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
/** Rotations of the four rounds, RFC 1321 section 3.4: the same four, four times. */
const ROTATIONS = /* @__PURE__ */ Int32Array.from([7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]);

/** RFC 1321 section 3.4. */
function compress(value: Int32Array, block: DataView, offset: number): void {
  let a = value[0] ?? 0;
  let b = value[1] ?? 0;
  let c = value[2] ?? 0;
  let d = value[3] ?? 0;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let mixed: number;
    let word: number;
    if (round === 0) {
      mixed = d ^ (b & (c ^ d));
      word = i;
    } else if (round === 1) {
      mixed = c ^ (d & (b ^ c));
      word = (5 * i + 1) & 15;
    } else if (round === 2) {
      mixed = b ^ c ^ d;
      word = (3 * i + 5) & 15;
    } else {
      mixed = c ^ (b | ~d);
      word = (7 * i) & 15;
    }
    const sum = (a + mixed + block.getInt32(offset + 4 * word, true) + (T[i] ?? 0)) | 0;
    const bits = ROTATIONS[4 * round + (i & 3)] ?? 0;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << bits) | (sum >>> (32 - bits)))) | 0;
  }
  value[0] = (value[0] ?? 0) + a;
  value[1] = (value[1] ?? 0) + b;
  value[2] = (value[2] ?? 0) + c;
  value[3] = (value[3] ?? 0) + d;
}

/**
 * An incremental MD5: for comparing with checksums that exist, not for security.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1321
 */
export function md5Hash(): IncrementalHash {
  return new BlockHash({ initial: INITIAL, littleEndian: true, compress });
}
