import type { Bytes } from "@ckptkit/core";
import { crcBytes, crcDigest, crcTables } from "./crc-tables.js";
import type { IncrementalHash } from "./incremental-hash.js";

/** x^32 + x^26 + x^23 + x^22 + x^16 + x^12 + x^11 + x^10 + x^8 + x^7 + x^5 + x^4 + x^2 + x + 1, reflected. */
const POLYNOMIAL = 0xedb88320;

let tables: Int32Array | undefined;

/**
 * The CRC-32 (ISO-HDLC) of zip and gzip, as an unsigned 32-bit integer.
 *
 * @param previous the CRC of the bytes before these, to go on from
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT section 4.4.7
 * @example
 * crc32(new TextEncoder().encode("123456789")); // 0xcbf43926
 */
export function crc32(bytes: Bytes, previous = 0): number {
  tables ??= crcTables(POLYNOMIAL);
  return crcBytes(tables, bytes, previous);
}

/** An incremental {@link crc32}; the digest is its four bytes, the most significant first. */
export function crc32Hash(): IncrementalHash {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = crc32(bytes, crc);
    },
    digest: () => crcDigest(crc),
  };
}
