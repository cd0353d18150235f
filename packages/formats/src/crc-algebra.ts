import type { RecordedCrc } from "@ckptkit/core";

/** Polynomials of the CRCs with 32 bits, reflected. */
const POLYNOMIALS: Readonly<Record<RecordedCrc["algorithm"], number>> = { crc32: 0xedb88320, crc32c: 0x82f63b78 };

/**
 * The CRC of the last bytes of some, from that of all and that of the others, without reading them. With the CRC of the last bytes in the place of that
 * of all it is the other way round: the CRC of all.
 *
 * @param tailBytes how many the last bytes are
 * @see https://github.com/madler/zlib/blob/develop/crc32.c crc32_combine, whose algebra this is
 */
export function crcOfTail(whole: number, head: number, tailBytes: number, algorithm: RecordedCrc["algorithm"] = "crc32"): number {
  const polynomial = POLYNOMIALS[algorithm];
  return (whole ^ multiply(powerOfX(tailBytes, polynomial), head, polynomial)) >>> 0;
}

/** The CRC of bytes of which the first and the last have these. */
export const crcOfBoth = (head: number, tail: number, tailBytes: number, algorithm: RecordedCrc["algorithm"]): number =>
  crcOfTail(tail, head, tailBytes, algorithm);

/** The product of two polynomials modulo the CRC's. */
function multiply(a: number, b: number, polynomial: number): number {
  let product = 0;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= b;
    b = b & 1 ? (b >>> 1) ^ polynomial : b >>> 1;
  }
  return product >>> 0;
}

/** x to the power of eight times `bytes`, by squaring. */
function powerOfX(bytes: number, polynomial: number): number {
  let square = 0x00800000; // x^8
  let power = 0x80000000; // 1
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(square, power, polynomial);
    square = multiply(square, square, polynomial);
  }
  return power;
}
