import { EXTRA_ZIP64, OVERFLOW_16, OVERFLOW_32, RECORD_BYTES, SIGNATURE } from "./records.js";

/** Version 4.5: zip64 (APPNOTE 4.4.3). */
export const VERSION_ZIP64 = 45;
/** 1980-01-01, the earliest date of DOS: the same input gives the same archive. */
export const DOS_DATE = 0x0021;

/** A stored member, as its entry in the directory describes it. */
export interface StoredMember {
  /** As it stands in the archive. */
  name: Uint8Array;
  crc32: number;
  byteLength: number;
  /** Where its local header begins. */
  headerStart: number;
  /** General purpose flags (APPNOTE 4.4.4). */
  flags: number;
}

/** The entry of a stored member in the directory. Its zip64 field holds only what 32 bits are too few for (APPNOTE 4.5.3). */
export function centralEntry({ name, crc32, byteLength, headerStart, flags }: StoredMember): Uint8Array {
  const size = Math.min(byteLength, OVERFLOW_32);
  const start = Math.min(headerStart, OVERFLOW_32);
  const extra = zip64Field([...(size === OVERFLOW_32 ? [byteLength, byteLength] : []), ...(start === OVERFLOW_32 ? [headerStart] : [])]);
  const bytes = new Uint8Array(RECORD_BYTES.central + name.length + extra.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE.central, true);
  view.setUint16(4, VERSION_ZIP64, true);
  view.setUint16(6, VERSION_ZIP64, true);
  view.setUint16(8, flags, true);
  view.setUint16(14, DOS_DATE, true);
  view.setUint32(16, crc32, true);
  view.setUint32(20, size, true);
  view.setUint32(24, size, true);
  view.setUint16(28, name.length, true);
  view.setUint16(30, extra.length, true);
  view.setUint32(42, start, true);
  bytes.set(name, RECORD_BYTES.central);
  bytes.set(extra, RECORD_BYTES.central + name.length);
  return bytes;
}

/** A zip64 extra field of these values; nothing for none. */
export function zip64Field(values: readonly number[]): Uint8Array {
  if (values.length === 0) return new Uint8Array(0);
  const bytes = new Uint8Array(4 + 8 * values.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, EXTRA_ZIP64, true);
  view.setUint16(2, 8 * values.length, true);
  for (const [index, value] of values.entries()) view.setBigUint64(4 + 8 * index, BigInt(value), true);
  return bytes;
}

/**
 * The records that end an archive, those of zip64 always, as torch writes them.
 *
 * @param count of members.
 * @param end64Start where the directory ends and these records begin.
 */
export function endRecords(count: number, directoryStart: number, end64Start: number, comment = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES.end64 + RECORD_BYTES.locator64 + RECORD_BYTES.end + comment.length);
  const view = new DataView(bytes.buffer);
  const directoryBytes = end64Start - directoryStart;
  view.setUint32(0, SIGNATURE.end64, true);
  view.setBigUint64(4, BigInt(RECORD_BYTES.end64 - 12), true);
  view.setUint16(12, VERSION_ZIP64, true);
  view.setUint16(14, VERSION_ZIP64, true);
  view.setBigUint64(24, BigInt(count), true);
  view.setBigUint64(32, BigInt(count), true);
  view.setBigUint64(40, BigInt(directoryBytes), true);
  view.setBigUint64(48, BigInt(directoryStart), true);
  const locator = RECORD_BYTES.end64;
  view.setUint32(locator, SIGNATURE.locator64, true);
  view.setBigUint64(locator + 8, BigInt(end64Start), true);
  view.setUint32(locator + 16, 1, true);
  const end = locator + RECORD_BYTES.locator64;
  view.setUint32(end, SIGNATURE.end, true);
  view.setUint16(end + 8, Math.min(count, OVERFLOW_16), true);
  view.setUint16(end + 10, Math.min(count, OVERFLOW_16), true);
  view.setUint32(end + 12, Math.min(directoryBytes, OVERFLOW_32), true);
  view.setUint32(end + 16, Math.min(directoryStart, OVERFLOW_32), true);
  view.setUint16(end + 20, comment.length, true);
  bytes.set(comment, end + RECORD_BYTES.end);
  return bytes;
}

/** Arrays one behind the other in one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
