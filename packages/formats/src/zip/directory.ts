import { type ByteSource, CheckpointLoadError, checkLimit, type Limits, type SignalOptions } from "@ckptkit/core";
import { readEndRecord } from "./end-record.js";
import { EXTRA_ZIP64, exact, METHOD, OVERFLOW_32, RECORD_BYTES, SIGNATURE, viewOf, zipError } from "./records.js";

/** One member of an archive, as the central directory describes it. */
export interface ZipEntry {
  name: string;
  method: 0 | 8;
  crc32: number;
  compressedBytes: number;
  /** Bytes after inflation; the same as `compressedBytes` when stored. */
  byteLength: number;
  /** Where its local header begins. */
  headerStart: number;
  /** Where the next member, or the directory, begins. */
  limit: number;
}

/** A general purpose flag of encrypted members (APPNOTE 4.4.4, bits 0 and 6) and of a masked directory (bit 13). */
const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;

/**
 * Reads the central directory and checks it against itself: every entry within the archive, no two of one name, no overlap.
 *
 * @throws {CheckpointLoadError} ZIP_NO_END_RECORD, ZIP_CORRUPT, ZIP_UNSUPPORTED, LIMIT_EXCEEDED
 */
export async function readDirectory(source: ByteSource, limits: Limits, options?: SignalOptions): Promise<ZipEntry[]> {
  const end = await readEndRecord(source, options);
  checkLimit(limits, "zipEntries", end.entries, `Members of ${source.name}`);
  checkLimit(limits, "zipDirectoryBytes", end.directoryBytes, `Directory of ${source.name}`);
  if (end.entries * RECORD_BYTES.central > end.directoryBytes) {
    throw zipError(source.name, `it declares ${end.entries} members, but its directory has only ${end.directoryBytes} bytes`);
  }
  const bytes = await source.read(end.directoryStart, end.directoryStart + end.directoryBytes, options);
  const entries = parseDirectory(bytes, end.entries, source.name);
  placeEntries(entries, end.directoryStart, source.name);
  return entries;
}

function parseDirectory(bytes: Uint8Array, count: number, name: string): ZipEntry[] {
  const view = viewOf(bytes);
  const decoder = new TextDecoder("utf-8");
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + RECORD_BYTES.central > bytes.length || view.getUint32(at, true) !== SIGNATURE.central) {
      throw zipError(name, `entry ${index} of its directory is not one`, { at });
    }
    const nameEnd = at + RECORD_BYTES.central + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) throw zipError(name, `entry ${index} of its directory is cut off`, { at });
    const entry = decoder.decode(bytes.slice(at + RECORD_BYTES.central, nameEnd));
    if (names.has(entry))
      throw zipError(name, `it has two members named ${JSON.stringify(entry)}; which of them counts depends on the reader`, {
        member: entry,
      });
    names.add(entry);
    const method = view.getUint16(at + 10, true);
    if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) {
      throw new CheckpointLoadError("ZIP_UNSUPPORTED", `The member ${JSON.stringify(entry)} of ${name} is encrypted.`);
    }
    if (method !== METHOD.stored && method !== METHOD.deflated) {
      throw new CheckpointLoadError(
        "ZIP_UNSUPPORTED",
        `The member ${JSON.stringify(entry)} of ${name} is compressed by method ${method}; only stored (0) and DEFLATE (8) are read.`,
      );
    }
    entries.push({ name: entry, method, crc32: view.getUint32(at + 16, true), limit: 0, ...readSizes(view, at, nameEnd, extraEnd, name) });
    at = next;
  }
  if (at !== bytes.length) throw zipError(name, `its directory has ${bytes.length - at} bytes after the last entry`);
  return entries;
}

/** Sizes and position, from the zip64 field where they overflow: it holds only those that do, in this order. */
function readSizes(
  view: DataView,
  at: number,
  extraStart: number,
  extraEnd: number,
  name: string,
): Pick<ZipEntry, "compressedBytes" | "byteLength" | "headerStart"> {
  const sizes = {
    byteLength: view.getUint32(at + 24, true),
    compressedBytes: view.getUint32(at + 20, true),
    headerStart: view.getUint32(at + 42, true),
  };
  let field = extraStart;
  while (field + 4 <= extraEnd) {
    const id = view.getUint16(field, true);
    const fieldEnd = field + 4 + view.getUint16(field + 2, true);
    if (fieldEnd > extraEnd) throw zipError(name, "an extra field of its directory is cut off");
    if (id === EXTRA_ZIP64) {
      let value = field + 4;
      for (const key of ["byteLength", "compressedBytes", "headerStart"] as const) {
        if (sizes[key] !== OVERFLOW_32) continue;
        if (value + 8 > fieldEnd) throw zipError(name, "a zip64 field of its directory is cut off");
        sizes[key] = exact(view, value, name, `a ${key}`);
        value += 8;
      }
    }
    field = fieldEnd;
  }
  return sizes;
}

/** Finds where each member must end, and that none reaches into the next or beyond the directory. */
function placeEntries(entries: readonly ZipEntry[], directoryStart: number, name: string): void {
  const ordered = [...entries].sort((a, b) => a.headerStart - b.headerStart);
  for (const [index, entry] of ordered.entries()) {
    entry.limit = ordered[index + 1]?.headerStart ?? directoryStart;
    const least = entry.headerStart + RECORD_BYTES.local + entry.compressedBytes;
    if (least > entry.limit) {
      throw zipError(
        name,
        `the member ${JSON.stringify(entry.name)} needs bytes up to ${least}, but the next part of the archive begins at ${entry.limit}`,
        {
          member: entry.name,
          headerStart: entry.headerStart,
          compressedBytes: entry.compressedBytes,
        },
      );
    }
    if (entry.method === METHOD.stored && entry.compressedBytes !== entry.byteLength) {
      throw zipError(
        name,
        `the stored member ${JSON.stringify(entry.name)} declares two different sizes, ${entry.compressedBytes} and ${entry.byteLength}`,
      );
    }
  }
}
