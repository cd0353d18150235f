import { type ByteSource, type Bytes, CheckpointLoadError, type Reading, readStep, type SignalOptions } from "@ckptkit/core";
import { exact, OVERFLOW_16, OVERFLOW_32, RECORD_BYTES, SIGNATURE, viewOf, zipError } from "./records.js";

/** Where the central directory lies, as the end records say. */
export interface EndRecord {
  entries: number;
  directoryStart: number;
  directoryBytes: number;
}

/** The end record, and the part of the file that was read to find it: in most files the directory is in it. */
export interface ArchiveEnd {
  record: EndRecord;
  tailStart: number;
  tail: Bytes;
}

/** A comment may follow the end record (APPNOTE 4.4.12). */
const LONGEST_COMMENT = 0xffff;
const TAIL_BYTES = RECORD_BYTES.end64 + RECORD_BYTES.locator64 + RECORD_BYTES.end + LONGEST_COMMENT;

const FIRST_BYTE = SIGNATURE.end % 0x100;

/**
 * Finds the end record and its zip64 companions with one read, and checks that they agree: one end record, at the end, with the
 * directory right before it.
 *
 * @throws {CheckpointLoadError} ZIP_NO_END_RECORD, ZIP_CORRUPT, ZIP_UNSUPPORTED
 */
export function* readEndRecord(source: ByteSource, options?: SignalOptions): Reading<ArchiveEnd> {
  const tailStart = Math.max(0, source.size - TAIL_BYTES);
  const tail = yield* readStep(source, tailStart, source.size, options);
  const view = viewOf(tail);
  const at = findEnd(tail, source.name);
  if (at < 0) {
    throw new CheckpointLoadError(
      "ZIP_NO_END_RECORD",
      `${source.name} begins like a zip archive, but has no end record: the last ${tail.length} of its ${source.size} bytes were searched.`,
      {
        details: { size: source.size },
        suggestions: ["The file is most likely cut off: fetch it again, or compare its size with the original's."],
      },
    );
  }
  const small = readSmall(view, at, source.name);
  const end64 = readZip64(view, at, tailStart, source.name);
  if (!end64) {
    if (small.directoryStart === OVERFLOW_32 || small.directoryBytes === OVERFLOW_32) {
      throw zipError(source.name, "its end record refers to a zip64 record, which is missing");
    }
    return { record: checkPlace(small, tailStart + at, source.name), tailStart, tail };
  }
  const agree = (a: number, b: number, overflow: number): boolean => a === b || a === overflow;
  if (
    !agree(small.entries, end64.record.entries, OVERFLOW_16) ||
    !agree(small.directoryBytes, end64.record.directoryBytes, OVERFLOW_32) ||
    !agree(small.directoryStart, end64.record.directoryStart, OVERFLOW_32)
  ) {
    throw zipError(source.name, "its end record and its zip64 end record contradict each other", { end: small, end64: end64.record });
  }
  return { record: checkPlace(end64.record, end64.start, source.name), tailStart, tail };
}

/**
 * Position of the end record whose comment ends where the file ends; -1 when there is none.
 *
 * @throws {CheckpointLoadError} ZIP_CORRUPT when there are two, of which readers would choose different ones
 */
function findEnd(tail: Bytes, name: string): number {
  const view = viewOf(tail);
  let found = -1;
  // By the signature's first byte: engines look for a byte far faster than a loop does.
  for (let at = tail.lastIndexOf(FIRST_BYTE, -RECORD_BYTES.end); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(FIRST_BYTE, at - 1)) {
    if (view.getUint32(at, true) !== SIGNATURE.end || at + RECORD_BYTES.end + view.getUint16(at + 20, true) !== view.byteLength) continue;
    if (found >= 0) throw zipError(name, "it has two end records; which of them counts depends on the reader");
    found = at;
  }
  return found;
}

function readSmall(view: DataView, at: number, name: string): EndRecord {
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  if (disks.some((disk) => disk !== 0 && disk !== OVERFLOW_16)) throw severalDisks(name);
  const entries = view.getUint16(at + 10, true);
  if (view.getUint16(at + 8, true) !== entries) throw zipError(name, "its end record counts the entries twice, and differently");
  return { entries, directoryBytes: view.getUint32(at + 12, true), directoryStart: view.getUint32(at + 16, true) };
}

function readZip64(view: DataView, endAt: number, tailStart: number, name: string): { record: EndRecord; start: number } | undefined {
  const locator = endAt - RECORD_BYTES.locator64;
  if (locator < 0 || view.getUint32(locator, true) !== SIGNATURE.locator64) return undefined;
  const start = exact(view, locator + 8, name, "the position of its zip64 end record");
  const at = start - tailStart;
  if (at < 0 || at + RECORD_BYTES.end64 > locator || view.getUint32(at, true) !== SIGNATURE.end64) {
    throw zipError(name, "its zip64 end record is not where the locator says", { position: start });
  }
  // The size leaves out itself and the signature before it: 12 bytes.
  if (at + 12 + exact(view, at + 4, name, "the size of its zip64 end record") !== locator) {
    throw zipError(name, "its zip64 end record does not end where the locator begins", { position: start });
  }
  if (view.getUint32(locator + 16, true) > 1 || view.getUint32(at + 16, true) !== 0 || view.getUint32(at + 20, true) !== 0) {
    throw severalDisks(name);
  }
  const entries = exact(view, at + 32, name, "the number of entries");
  if (exact(view, at + 24, name, "the number of entries") !== entries) {
    throw zipError(name, "its zip64 end record counts the entries twice, and differently");
  }
  return {
    start,
    record: {
      entries,
      directoryBytes: exact(view, at + 40, name, "the size of the directory"),
      directoryStart: exact(view, at + 48, name, "the position of the directory"),
    },
  };
}

const severalDisks = (name: string): CheckpointLoadError =>
  new CheckpointLoadError("ZIP_UNSUPPORTED", `${name} is part of a zip archive on several disks.`, {
    suggestions: ["Put the parts together with the program that split them."],
  });

function checkPlace(record: EndRecord, endStart: number, name: string): EndRecord {
  const directoryEnd = record.directoryStart + record.directoryBytes;
  if (directoryEnd !== endStart) {
    throw zipError(name, `its directory should end at ${directoryEnd}, but the end record begins at ${endStart}`, { ...record });
  }
  return record;
}
