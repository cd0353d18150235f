import type { Bytes, Probe } from "@ckptkit/core";

/** Headers and data come in blocks of this size. */
export const BLOCK_BYTES = 512;

/** Whether a file begins with the header of a tar archive: by the header's own checksum. */
export const isTar = ({ head }: Probe): boolean => head.length >= BLOCK_BYTES && checksumHolds(head.subarray(0, BLOCK_BYTES));

/** The sum of all bytes of a header, those of the checksum itself counted as spaces. */
export function checksumHolds(block: Bytes): boolean {
  let sum = 0;
  for (const [at, byte] of block.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  return sum === numberOf(block.subarray(148, 156));
}

/** Text up to the first NUL. */
export function textOf(bytes: Bytes): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.slice(0, end < 0 ? bytes.length : end));
}

/** An octal number, or GNU's binary one, whose first byte is 0x80. */
export function numberOf(field: Bytes): number | undefined {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = textOf(field).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}
