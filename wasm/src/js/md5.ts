import { BlockHash } from "./block-hash.js";
import type { IncrementalHash } from "./incremental-hash.js";

/** RFC 1321 section 3.4: T[i] = floor(2^32 x |sin(i + 1)|). */
const T = Float64Array.from({ length: 64 }, (_, i) => Math.floor(2 ** 32 * Math.abs(Math.sin(i + 1))));
/** RFC 1321 section 3.3. */
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
/** Rotations of the four rounds, RFC 1321 section 3.4: the same four, four times. */
const ROTATIONS = Uint8Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);

/** RFC 1321 section 3.4. */
function compress(value: Int32Array, block: DataView, offset: number): void {
  let [a = 0, b = 0, c = 0, d = 0] = value;
  const before = [a, b, c, d];
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
  for (const [index, word] of [a, b, c, d].entries()) value[index] = word + (before[index] ?? 0);
}

/**
 * An incremental MD5: for comparing with checksums that exist, not for security.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1321
 */
export function md5Hash(): IncrementalHash {
  return new BlockHash({ initial: INITIAL, littleEndian: true, compress });
}
