import { EXTRA_ZIP64, exact, OVERFLOW_16, OVERFLOW_32, zipError } from "./records.js";

/** Sizes and position of a member, in bytes. */
export interface EntrySizes {
  compressedBytes: number;
  /** Bytes after inflation; the same as `compressedBytes` when stored. */
  byteLength: number;
  /** Where its local header begins. */
  headerStart: number;
}

/**
 * Sizes and position of the directory entry at `at`, from its zip64 field where 32 bits are too few. The field holds only what
 * overflowed, in a fixed order; one that says more, or stands twice, could be read in two ways and is refused.
 *
 * @param extraStart, extraEnd where its extra fields lie
 * @throws {CheckpointLoadError} ZIP_CORRUPT
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT section 4.5.3
 */
export function readEntrySizes(view: DataView, at: number, extraStart: number, extraEnd: number, archive: string): EntrySizes {
  const sizes = {
    byteLength: view.getUint32(at + 24, true),
    compressedBytes: view.getUint32(at + 20, true),
    headerStart: view.getUint32(at + 42, true),
  };
  const overflowed = (["byteLength", "compressedBytes", "headerStart"] as const).filter((key) => sizes[key] === OVERFLOW_32);
  const disk = view.getUint16(at + 34, true);
  if (disk !== 0 && disk !== OVERFLOW_16) throw zipError(archive, `an entry of its directory lies on disk ${disk}`);

  const field = findZip64(view, extraStart, extraEnd, archive);
  if (overflowed.length > 0 && !field) throw zipError(archive, "a zip64 field of its directory is missing");
  if (!field) return sizes;
  const expected = 8 * overflowed.length + (disk === OVERFLOW_16 ? 4 : 0);
  if (field.end - field.start !== expected) {
    throw zipError(archive, `a zip64 field of its directory has ${field.end - field.start} bytes, not ${expected}`);
  }
  for (const [index, key] of overflowed.entries()) sizes[key] = exact(view, field.start + 8 * index, archive, `the ${key} of a member`);
  return sizes;
}

function findZip64(view: DataView, extraStart: number, extraEnd: number, archive: string): { start: number; end: number } | undefined {
  let found: { start: number; end: number } | undefined;
  for (let at = extraStart; at + 4 <= extraEnd; ) {
    const start = at + 4;
    const end = start + view.getUint16(at + 2, true);
    if (end > extraEnd) throw zipError(archive, "an extra field of its directory is cut off");
    if (view.getUint16(at, true) === EXTRA_ZIP64) {
      if (found) throw zipError(archive, "a member has two zip64 fields");
      found = { start, end };
    }
    at = end;
  }
  return found;
}
