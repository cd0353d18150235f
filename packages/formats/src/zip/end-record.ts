import { type ByteSource, CheckpointLoadError, type SignalOptions } from "@ckptkit/core";
import { exact, OVERFLOW_16, OVERFLOW_32, RECORD_BYTES, SIGNATURE, viewOf, zipError } from "./records.js";

/** Where the central directory lies, as the end records say. */
export interface EndRecord {
  entries: number;
  directoryStart: number;
  directoryBytes: number;
}

/** A comment may follow the end record (APPNOTE 4.4.12); no checkpoint writer makes one, so a short look is enough. */
const LONGEST_COMMENT = 0xffff;

/**
 * Finds the end record and its zip64 companions and checks that they agree: one end record, at the end, with the directory
 * right before it.
 *
 * @throws {CheckpointLoadError} ZIP_NO_END_RECORD, ZIP_CORRUPT, ZIP_UNSUPPORTED
 */
export async function readEndRecord(source: ByteSource, options?: SignalOptions): Promise<EndRecord> {
  const tailBytes = Math.min(source.size, RECORD_BYTES.end64 + RECORD_BYTES.locator64 + RECORD_BYTES.end + LONGEST_COMMENT);
  const tailStart = source.size - tailBytes;
  const tail = await source.read(tailStart, source.size, options);
  const view = viewOf(tail);
  const at = findEnd(view);
  if (at < 0) {
    throw new CheckpointLoadError(
      "ZIP_NO_END_RECORD",
      `${source.name} begins like a zip archive, but has no end record: the last ${tailBytes} of its ${source.size} bytes were searched.`,
      {
        details: { size: source.size },
        suggestions: ["The file is most likely cut off: fetch it again, or compare its size with the original's."],
      },
    );
  }
  const small = {
    entries: view.getUint16(at + 10, true),
    directoryBytes: view.getUint32(at + 12, true),
    directoryStart: view.getUint32(at + 16, true),
  };
  const end64 = readZip64(view, at, tailStart, source.name);
  if (view.getUint16(at + 4, true) !== 0 && view.getUint16(at + 4, true) !== OVERFLOW_16) {
    throw new CheckpointLoadError("ZIP_UNSUPPORTED", `${source.name} is part of a zip archive on several disks.`);
  }
  if (!end64) {
    if (small.entries === OVERFLOW_16 || small.directoryStart === OVERFLOW_32 || small.directoryBytes === OVERFLOW_32) {
      throw zipError(source.name, "its end record refers to a zip64 record, which is missing");
    }
    return checkPlace(small, tailStart + at, source.name);
  }
  const agree = (a: number, b: number, overflow: number): boolean => a === b || a === overflow;
  if (
    !agree(small.entries, end64.record.entries, OVERFLOW_16) ||
    !agree(small.directoryBytes, end64.record.directoryBytes, OVERFLOW_32) ||
    !agree(small.directoryStart, end64.record.directoryStart, OVERFLOW_32)
  ) {
    throw zipError(source.name, "its end record and its zip64 end record contradict each other", { end: small, end64: end64.record });
  }
  return checkPlace(end64.record, end64.start, source.name);
}

/** Position of the one end record whose comment ends where the file ends; -1 when there is none. */
function findEnd(view: DataView): number {
  for (let at = view.byteLength - RECORD_BYTES.end; at >= 0; at--) {
    if (view.getUint32(at, true) === SIGNATURE.end && at + RECORD_BYTES.end + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  return -1;
}

function readZip64(view: DataView, endAt: number, tailStart: number, name: string): { record: EndRecord; start: number } | undefined {
  const locator = endAt - RECORD_BYTES.locator64;
  if (locator < 0 || view.getUint32(locator, true) !== SIGNATURE.locator64) return undefined;
  const start = exact(view, locator + 8, name, "the position of its zip64 end record");
  const at = start - tailStart;
  if (at + RECORD_BYTES.end64 !== locator) throw zipError(name, "its zip64 end record is not where the locator says", { position: start });
  if (at < 0 || view.getUint32(at, true) !== SIGNATURE.end64) throw zipError(name, "its zip64 end record is missing", { position: start });
  return {
    start,
    record: {
      entries: exact(view, at + 32, name, "the number of entries"),
      directoryBytes: exact(view, at + 40, name, "the size of the directory"),
      directoryStart: exact(view, at + 48, name, "the position of the directory"),
    },
  };
}

function checkPlace(record: EndRecord, endStart: number, name: string): EndRecord {
  if (record.directoryStart + record.directoryBytes !== endStart) {
    throw zipError(
      name,
      `its directory should end at ${record.directoryStart + record.directoryBytes}, but the end record begins at ${endStart}`,
      { ...record },
    );
  }
  return record;
}
