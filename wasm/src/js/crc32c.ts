import type { Bytes } from "@ckptkit/core";
import { crcBytes, crcDigest, crcTables } from "./crc-tables.js";
import type { IncrementalHash } from "./incremental-hash.js";

/** The Castagnoli polynomial 0x1edc6f41, reflected. */
const POLYNOMIAL = 0x82f63b78;

let tables: Int32Array | undefined;

/**
 * The CRC-32C of iSCSI and of cloud storage services, as an unsigned 32-bit integer.
 *
 * @param previous the CRC of the bytes before these, to go on from
 * @see https://www.rfc-editor.org/rfc/rfc3720 section 12.1
 * @example
 * crc32c(new TextEncoder().encode("123456789")); // 0xe3069283
 */
export function crc32c(bytes: Bytes, previous = 0): number {
  tables ??= crcTables(POLYNOMIAL);
  return crcBytes(tables, bytes, previous);
}

/** An incremental {@link crc32c}; the digest is its four bytes, the most significant first. */
export function crc32cHash(): IncrementalHash {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = crc32c(bytes, crc);
    },
    digest: () => crcDigest(crc),
  };
}
