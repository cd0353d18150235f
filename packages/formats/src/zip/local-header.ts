import type { Bytes } from "@ckptkit/core";
import { checkReadable, rawNameOf, type ZipEntry } from "./directory.js";
import { FLAG, OVERFLOW_32, RECORD_BYTES, SIGNATURE, viewOf, zipError } from "./records.js";

/** Where the fixed part of a member's local header and its name end. */
export const localHeaderEnd = (entry: ZipEntry): number => entry.headerStart + RECORD_BYTES.local + entry.nameBytes;

/**
 * Compares a member's local header with the directory, for readers that trust the one or the other must see the same file.
 *
 * @param header the fixed part and the name after it.
 * @returns where the member's data begins in the archive.
 * @throws {CheckpointLoadError} ZIP_CORRUPT, ZIP_UNSUPPORTED
 */
export function checkLocalHeader(header: Bytes, entry: ZipEntry, archive: string): number {
  const view = viewOf(header);
  const label = JSON.stringify(entry.name);
  const at = entry.headerStart;
  if (view.getUint32(0, true) !== SIGNATURE.local) {
    throw zipError(archive, `no header is at ${at}, where the directory places ${label}`, { at });
  }
  const flags = view.getUint16(6, true);
  checkReadable(entry.name, flags, archive);
  if (view.getUint16(8, true) !== entry.method) {
    throw zipError(archive, `header and directory disagree on how ${label} is compressed`, { at });
  }
  const name = header.subarray(RECORD_BYTES.local, RECORD_BYTES.local + entry.nameBytes);
  const expectedName = rawNameOf(entry);
  if (view.getUint16(26, true) !== entry.nameBytes || name.some((byte, index) => byte !== expectedName[index])) {
    throw zipError(archive, `the header of ${label} has another name than the directory`, { at });
  }
  for (const [field, offset, expected] of [
    ["CRC-32", 14, entry.crc32],
    ["compressed size", 18, entry.compressedBytes],
    ["size", 22, entry.byteLength],
  ] as const) {
    const found = view.getUint32(offset, true);
    // Left open: for a descriptor behind the data, or for a zip64 field.
    const open = (found === 0 && (flags & FLAG.descriptor) !== 0) || (found === OVERFLOW_32 && offset !== 14);
    if (found !== expected && !open) {
      throw zipError(archive, `header and directory disagree on the ${field} of ${label}: ${found} and ${expected}`, {
        at,
        found,
        expected,
      });
    }
  }
  const start = localHeaderEnd(entry) + view.getUint16(28, true);
  if (start + entry.compressedBytes > entry.limit) {
    throw zipError(archive, `the data of ${label} reaches into the next part`, {
      start,
      bytes: entry.compressedBytes,
      limit: entry.limit,
    });
  }
  return start;
}
