import type { Bytes } from "@ckptkit/core";
import { crc32c } from "@ckptkit/wasm/crc";

/** @see https://github.com/google/leveldb/blob/main/util/crc32c.h kMaskDelta */
const MASK_DELTA = 0xa282ead8;

/** A CRC-32C as it stands in a file, turned and shifted so that the CRC of bytes that hold CRCs is a good one, as it was computed. */
export function unmasked(masked: number): number {
  const turned = (masked - MASK_DELTA) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
}

/** Whether bytes have a CRC-32C that is recorded in its masked form. */
export const hasCrc = (bytes: Bytes, masked: number): boolean => crc32c(bytes) === unmasked(masked);
