/** CRC-32 of ISO 3309, bits reversed. */
const POLYNOMIAL = 0xedb88320;

/**
 * The CRC-32 of some bytes, from that of all and that of what stands before them, without reading them.
 *
 * @param tailBytes how many they are
 * @see https://github.com/madler/zlib/blob/develop/crc32.c crc32_combine, whose algebra this is
 */
export function crcOfTail(whole: number, head: number, tailBytes: number): number {
  return (whole ^ multiply(powerOfX(tailBytes), head)) >>> 0;
}

/** The product of two polynomials modulo the CRC's. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= b;
    b = b & 1 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product >>> 0;
}

/** x to the power of eight times `bytes`, by squaring. */
function powerOfX(bytes: number): number {
  let square = 0x00800000; // x^8
  let power = 0x80000000; // 1
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(square, power);
    square = multiply(square, square);
  }
  return power;
}
