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
  /** Where the end records begin. */
  endStart: number;
  /** Bytes of the comment behind them. */
  commentBytes: number;
}

/**
 * Takes what contradicts itself, where the archive is to be looked at all the same; without one, it is thrown.
 *
 * @param rule what kind of contradiction it is
 */
export type Tolerate = (rule: ZipRule, error: CheckpointLoadError) => void;

/** Kinds of contradictions in an archive's own records. */
export type ZipRule =
  | "zip-two-ends"
  | "zip-trailing-data"
  | "zip-contradicting-ends"
  | "zip-prepended-data"
  | "zip-duplicate-name"
  | "zip-encrypted"
  | "zip-method"
  | "zip-directory"
  | "zip-overlap"
  | "zip-size";

/** @throws the error, unless it is tolerated */
export function refuse(tolerate: Tolerate | undefined, rule: ZipRule, error: CheckpointLoadError): void {
  if (!tolerate) throw error;
  tolerate(rule, error);
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
export function* readEndRecord(source: ByteSource, options?: SignalOptions, tolerate?: Tolerate): Reading<ArchiveEnd> {
  const tailStart = Math.max(0, source.size - TAIL_BYTES);
  const tail = yield* readStep(source, tailStart, source.size, options);
  const view = viewOf(tail);
  const at = findEnd(tail, source.name, tolerate);
  if (at < 0) {
    throw new CheckpointLoadError(
      "ZIP_NO_END_RECORD",
      `${source.name} begins like a zip archive, but its last ${tail.length} of ${source.size} bytes hold no end record.`,
      {
        details: { size: source.size },
        suggestions: ["Fetch the file again, or compare its size with the original's."],
      },
    );
  }
  const commentBytes = source.size - tailStart - at - RECORD_BYTES.end;
  const small = readSmall(view, at, source.name, tolerate);
  const end64 = readZip64(view, at, tailStart, source.name, tolerate);
  const ended = (record: EndRecord, endStart: number): ArchiveEnd => {
    checkPlace(record, endStart, source.name, tolerate);
    return { record, tailStart, tail, endStart, commentBytes };
  };
  if (!end64) {
    if (small.directoryStart === OVERFLOW_32 || small.directoryBytes === OVERFLOW_32) {
      throw zipError(source.name, "its zip64 end record is missing");
    }
    return ended(small, tailStart + at);
  }
  const agree = (a: number, b: number, overflow: number): boolean => a === b || a === overflow;
  if (
    !agree(small.entries, end64.record.entries, OVERFLOW_16) ||
    !agree(small.directoryBytes, end64.record.directoryBytes, OVERFLOW_32) ||
    !agree(small.directoryStart, end64.record.directoryStart, OVERFLOW_32)
  ) {
    const details = { end: small, end64: end64.record };
    refuse(tolerate, "zip-contradicting-ends", zipError(source.name, "its two end records contradict each other", details));
  }
  return ended(end64.record, end64.start);
}

/**
 * Position of the end record whose comment ends where the file ends; -1 when there is none.
 *
 * @throws {CheckpointLoadError} ZIP_CORRUPT when there are two, of which readers would choose different ones
 */
function findEnd(tail: Bytes, name: string, tolerate: Tolerate | undefined): number {
  const view = viewOf(tail);
  let found = -1;
  /** The last one of those whose comment does not end where the file does: what readers take that do not compare. */
  let loose = -1;
  // By the signature's first byte: engines look for a byte far faster than a loop does.
  for (let at = tail.lastIndexOf(FIRST_BYTE, -RECORD_BYTES.end); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(FIRST_BYTE, at - 1)) {
    if (view.getUint32(at, true) !== SIGNATURE.end) continue;
    if (at + RECORD_BYTES.end + view.getUint16(at + 20, true) !== view.byteLength) {
      if (found < 0) loose = Math.max(loose, at);
      continue;
    }
    if (found >= 0) refuse(tolerate, "zip-two-ends", twoEnds(name));
    else found = at;
  }
  if (!tolerate || loose < 0) return found;
  if (found >= 0) tolerate("zip-two-ends", twoEnds(name));
  else tolerate("zip-trailing-data", zipError(name, "its end record is followed by bytes that it does not count"));
  return found >= 0 ? found : loose;
}

const twoEnds = (name: string): CheckpointLoadError => zipError(name, "it has two end records: readers choose differently");

function readSmall(view: DataView, at: number, name: string, tolerate: Tolerate | undefined): EndRecord {
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  if (disks.some((disk) => disk !== 0 && disk !== OVERFLOW_16)) throw severalDisks(name);
  const entries = view.getUint16(at + 10, true);
  if (view.getUint16(at + 8, true) !== entries) {
    refuse(tolerate, "zip-contradicting-ends", zipError(name, "its end record counts the members twice, differently"));
  }
  return { entries, directoryBytes: view.getUint32(at + 12, true), directoryStart: view.getUint32(at + 16, true) };
}

function readZip64(
  view: DataView,
  endAt: number,
  tailStart: number,
  name: string,
  tolerate: Tolerate | undefined,
): { record: EndRecord; start: number } | undefined {
  const locator = endAt - RECORD_BYTES.locator64;
  if (locator < 0 || view.getUint32(locator, true) !== SIGNATURE.locator64) return undefined;
  let start = exact(view, locator + 8, name, "the place of its zip64 end record");
  const isAt = (at: number): boolean => at >= 0 && at + RECORD_BYTES.end64 <= locator && view.getUint32(at, true) === SIGNATURE.end64;
  if (!isAt(start - tailStart)) {
    const error = zipError(name, "its zip64 end record is not where the locator says", { position: start });
    refuse(tolerate, "zip-contradicting-ends", error);
    // What was put in front of an archive moves the record; it still stands right before its locator.
    if (!isAt(locator - RECORD_BYTES.end64)) return undefined;
    start = tailStart + locator - RECORD_BYTES.end64;
  }
  const at = start - tailStart;
  // The size leaves out itself and the signature before it: 12 bytes.
  if (at + 12 + exact(view, at + 4, name, "the size of its zip64 end record") !== locator) {
    const error = zipError(name, "its zip64 end record does not end at the locator", { position: start });
    refuse(tolerate, "zip-contradicting-ends", error);
  }
  if (view.getUint32(locator + 16, true) > 1 || view.getUint32(at + 16, true) !== 0 || view.getUint32(at + 20, true) !== 0) {
    throw severalDisks(name);
  }
  const entries = exact(view, at + 32, name, "the number of members");
  if (exact(view, at + 24, name, "the number of members") !== entries) {
    refuse(tolerate, "zip-contradicting-ends", zipError(name, "its zip64 end record counts the members twice, differently"));
  }
  return {
    start,
    record: {
      entries,
      directoryBytes: exact(view, at + 40, name, "the size of the directory"),
      directoryStart: exact(view, at + 48, name, "the place of the directory"),
    },
  };
}

const severalDisks = (name: string): CheckpointLoadError =>
  new CheckpointLoadError("ZIP_UNSUPPORTED", `${name} is part of a zip archive on several disks.`, {
    suggestions: ["Put the parts together first."],
  });

function checkPlace(record: EndRecord, endStart: number, name: string, tolerate: Tolerate | undefined): void {
  const directoryEnd = record.directoryStart + record.directoryBytes;
  if (directoryEnd === endStart) return;
  const why = `its directory ends at ${directoryEnd}, but the end record begins at ${endStart}`;
  refuse(tolerate, directoryEnd < endStart ? "zip-prepended-data" : "zip-contradicting-ends", zipError(name, why, { ...record }));
}
