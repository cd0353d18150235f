import {
  type ByteSource,
  type Bytes,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
} from "@ckptkit/core";
import { type ArchiveEnd, readEndRecord, refuse, type Tolerate } from "./end-record.js";
import { type EntrySizes, readEntrySizes } from "./entry-sizes.js";
import { FLAG, METHOD, RECORD_BYTES, SIGNATURE, viewOf, zipError } from "./records.js";

/** One member of an archive, as the central directory describes it. */
export interface ZipEntry extends EntrySizes {
  name: string;
  /** Bytes of the name in the archive. */
  nameBytes: number;
  /** 0 (stored) or 8 (DEFLATE); another one only where contradictions are tolerated. */
  method: number;
  crc32: number;
  /** Where the next member, or the directory, begins. */
  limit: number;
}

/** A directory that was read and checked. */
export interface ZipDirectory {
  /** In the order of the directory. */
  entries: ZipEntry[];
  findings: Finding[];
  /** Where the directory, its end records and their comment lie. */
  end: { directoryStart: number; endStart: number; commentBytes: number };
}

/** What may stand between a member's header and the next one besides its data: an extra field, and a descriptor with zip64 sizes. */
const MOST_SLACK_BYTES = 0xffff + 24;

/**
 * Reads the central directory in at most two reads and checks it against itself: every entry within the archive, no two of one
 * name, no overlap. Bytes that belong to no member are a finding.
 *
 * @param tolerate takes what is wrong in one place only, and reading goes on: for those who look at an archive as it is.
 *
 * @throws {CheckpointLoadError} ZIP_NO_END_RECORD, ZIP_CORRUPT, ZIP_UNSUPPORTED, LIMIT_EXCEEDED
 */
export function* readDirectory(source: ByteSource, limits: Limits, options?: SignalOptions, tolerate?: Tolerate): Reading<ZipDirectory> {
  const end = yield* readEndRecord(source, options, tolerate);
  const shift = tolerate ? shiftOf(end, source.size) : 0;
  end.record.directoryStart += shift;
  const { entries: count, directoryBytes, directoryStart } = end.record;
  if (count * RECORD_BYTES.central > directoryBytes) {
    throw zipError(source.name, `it declares ${count} members in a directory of ${directoryBytes} bytes`);
  }
  checkLimit(limits, "zipEntries", count, `Members of ${source.name}`);
  checkLimit(limits, "zipDirectoryBytes", directoryBytes, `Directory of ${source.name}`);
  const entries = parseEntries(yield* directoryOf(source, end, options), count, source.name, tolerate);
  if (shift > 0) for (const entry of entries) entry.headerStart += shift;
  const findings = placeEntries(entries, directoryStart, source.name, tolerate);
  return { entries, findings, end: { directoryStart, endStart: end.endStart, commentBytes: end.commentBytes } };
}

/** How far an archive was moved by what was put in front of it, as Python's zipfile reckons it. */
function shiftOf({ record, endStart }: ArchiveEnd, size: number): number {
  const shift = endStart - record.directoryStart - record.directoryBytes;
  return shift > 0 && shift < size ? shift : 0;
}

/** The directory's bytes: what was read with the end record, and what comes before that. */
function* directoryOf(source: ByteSource, { record, tailStart, tail }: ArchiveEnd, options?: SignalOptions): Reading<Bytes> {
  const { directoryStart, directoryBytes } = record;
  if (directoryStart >= tailStart) return tail.subarray(directoryStart - tailStart, directoryStart - tailStart + directoryBytes);
  const inTail = Math.max(0, directoryStart + directoryBytes - tailStart);
  const before = yield* readStep(source, directoryStart, directoryStart + directoryBytes - inTail, options);
  const bytes = new Uint8Array(before.length + inTail);
  bytes.set(before);
  bytes.set(tail.subarray(0, inTail), before.length);
  return bytes;
}

function parseEntries(bytes: Bytes, count: number, archive: string, tolerate: Tolerate | undefined): ZipEntry[] {
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + RECORD_BYTES.central > bytes.length || view.getUint32(at, true) !== SIGNATURE.central) {
      throw zipError(archive, `entry ${index} of its directory has no signature`, { at });
    }
    const nameStart = at + RECORD_BYTES.central;
    const nameEnd = nameStart + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) throw zipError(archive, `entry ${index} of its directory is cut off`, { at });
    const name = decodeName(bytes, nameStart, nameEnd);
    if (names.has(name)) {
      const why = `it has two members named ${JSON.stringify(name)}: readers choose differently`;
      refuse(tolerate, "zip-duplicate-name", zipError(archive, why, { member: name }));
    }
    names.add(name);
    const method = view.getUint16(at + 10, true);
    checkReadable(name, view.getUint16(at + 8, true), archive, tolerate);
    if (method !== METHOD.stored && method !== METHOD.deflated) {
      const error = new CheckpointLoadError(
        "ZIP_UNSUPPORTED",
        `The member ${JSON.stringify(name)} of ${archive} is compressed by method ${method}, not stored (0) or DEFLATE (8).`,
        { details: { member: name, method }, suggestions: ["Pack the file again without compression: zip -0."] },
      );
      refuse(tolerate, "zip-method", error);
    }
    const { compressedBytes, byteLength, headerStart } = readEntrySizes(view, at, nameEnd, extraEnd, archive);
    entries.push({
      name,
      nameBytes: nameEnd - nameStart,
      method,
      crc32: view.getUint32(at + 16, true),
      compressedBytes,
      byteLength,
      headerStart,
      limit: 0,
    });
    at = next;
  }
  if (at !== bytes.length) {
    refuse(tolerate, "zip-directory", zipError(archive, `its directory has ${bytes.length - at} bytes after the last member`));
  }
  return entries;
}

/** Refuses encrypted members. @throws {CheckpointLoadError} ZIP_UNSUPPORTED */
export function checkReadable(member: string, flags: number, archive: string, tolerate?: Tolerate): void {
  if ((flags & FLAG.encrypted) === 0) return;
  const error = new CheckpointLoadError("ZIP_UNSUPPORTED", `The member ${JSON.stringify(member)} of ${archive} is encrypted.`, {
    details: { member, flags },
  });
  refuse(tolerate, "zip-encrypted", error);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Names are UTF-8, as torch writes them; of others only the ASCII part can be trusted, and each byte stays one character. */
export function decodeName(bytes: Bytes, start: number, end: number): string {
  let name = "";
  let isAscii = true;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    isAscii &&= byte < 0x80;
    name += String.fromCharCode(byte);
  }
  if (isAscii) return name;
  try {
    return UTF8.decode(bytes.slice(start, end));
  } catch {
    return name;
  }
}

/** The name as it stands in the archive: the opposite of how it was decoded. */
export function rawNameOf({ name, nameBytes }: ZipEntry): Uint8Array {
  const encoded = new TextEncoder().encode(name);
  return encoded.length === nameBytes ? encoded : Uint8Array.from(name, (character) => character.charCodeAt(0));
}

/** Finds where each member must end, and that none reaches into the next or beyond the directory. */
function placeEntries(entries: readonly ZipEntry[], directoryStart: number, archive: string, tolerate: Tolerate | undefined): Finding[] {
  const ordered = [...entries].sort((a, b) => a.headerStart - b.headerStart);
  let hiddenBytes = ordered[0]?.headerStart ?? directoryStart;
  let hiddenAt = 0;
  for (const [index, entry] of ordered.entries()) {
    entry.limit = ordered[index + 1]?.headerStart ?? directoryStart;
    const least = entry.headerStart + RECORD_BYTES.local + entry.nameBytes + entry.compressedBytes;
    if (least > entry.limit) {
      const error = zipError(
        archive,
        `the member ${JSON.stringify(entry.name)} ends at ${least}, but the next part begins at ${entry.limit}`,
        { member: entry.name, headerStart: entry.headerStart, compressedBytes: entry.compressedBytes },
      );
      refuse(tolerate, "zip-overlap", error);
    }
    const slack = entry.limit - least;
    if (slack > MOST_SLACK_BYTES) {
      if (hiddenBytes === 0) hiddenAt = least;
      hiddenBytes += slack;
    }
    if (entry.method === METHOD.stored && entry.compressedBytes !== entry.byteLength) {
      const why = `the stored member ${JSON.stringify(entry.name)} has two sizes, ${entry.compressedBytes} and ${entry.byteLength}`;
      refuse(tolerate, "zip-size", zipError(archive, why));
    }
  }
  if (hiddenBytes === 0) return [];
  return [
    {
      rule: "zip-hidden-bytes",
      severity: "warning",
      message: `${hiddenBytes} bytes belong to no member: other programs may see content there.`,
      at: `byte ${hiddenAt}`,
    },
  ];
}
