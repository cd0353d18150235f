import {
  type ByteSource,
  type Bytes,
  crcMismatch,
  type Finding,
  finish,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
} from "@ckptkit/core";
import { crc32 } from "@ckptkit/wasm/crc";
import { CRC_RULE } from "./crc-rule.js";
import { readDirectory, type ZipEntry } from "./directory.js";
import { memberSource, readMember } from "./member-source.js";
import { RECORD_BYTES } from "./records.js";
import { windowSource } from "./window-source.js";

/** A zip archive whose directory has been read. */
export interface ZipArchive {
  readonly name: string;
  /** Members by name, in the directory's order. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** What was odd about the directory. */
  readonly findings: readonly Finding[];
  /** The bytes of a member, not read yet. */
  source(entry: ZipEntry): ByteSource;
  /**
   * All bytes of some small members, in their order; neighbours come with one read. A CRC-32 that was recorded (0 = none) and
   * does not hold becomes a finding.
   */
  readAll(entries: readonly ZipEntry[], findings: Finding[], options?: SignalOptions): Promise<Bytes[]>;
  /** The same as a reading. */
  readingAll(entries: readonly ZipEntry[], findings: Finding[], options?: SignalOptions): Reading<Bytes[]>;
}

/** Unwanted bytes between two members that are read along rather than asked for around. */
const GAP_BYTES = 64 * 1024;
/** The longest extra field of a local header (APPNOTE 4.4.11): what may stand between the name and the data. */
const LONGEST_EXTRA = 0xffff;

/**
 * Opens an archive from its central directory.
 *
 * @throws {CheckpointLoadError} ZIP_NO_END_RECORD, ZIP_CORRUPT, ZIP_UNSUPPORTED, LIMIT_EXCEEDED
 */
export async function openZip(source: ByteSource, limits: Limits, options?: SignalOptions): Promise<ZipArchive> {
  return finish(readZip(source, limits, options));
}

/** The same as a reading. */
export function* readZip(source: ByteSource, limits: Limits, options?: SignalOptions): Reading<ZipArchive> {
  const { entries, findings } = yield* readDirectory(source, limits, options);
  return archiveOf(source, entries, findings, limits);
}

/** The archive that has these members, however they were found. */
export function archiveOf(source: ByteSource, entries: readonly ZipEntry[], findings: readonly Finding[], limits: Limits): ZipArchive {
  const archive: ZipArchive = {
    name: source.name,
    entries: new Map(entries.map((entry) => [entry.name, entry])),
    findings,
    source: (entry) => memberSource(source, entry, limits),
    readAll: (wanted, found, readOptions) => finish(archive.readingAll(wanted, found, readOptions)),
    *readingAll(wanted, found, readOptions) {
      const read = new Map<ZipEntry, Bytes>();
      for (const { start, end, members } of neighbours(wanted)) {
        const window = windowSource(source, start, yield* readStep(source, start, end, readOptions));
        for (const entry of members) {
          const bytes = yield* readMember(window, entry, limits, readOptions);
          const actual = entry.crc32 === 0 ? 0 : crc32(bytes);
          if (actual !== entry.crc32) {
            found.push({
              rule: CRC_RULE,
              severity: "error",
              message: crcMismatch(entry.name, entry.crc32, actual).message,
              at: entry.name,
            });
          }
          read.set(entry, bytes);
        }
      }
      return wanted.map((entry) => read.get(entry) ?? new Uint8Array(0));
    },
  };
  return archive;
}

interface Neighbours {
  start: number;
  end: number;
  members: ZipEntry[];
}

/** Puts members into groups that are worth one read each. */
function neighbours(entries: readonly ZipEntry[]): Neighbours[] {
  const groups: Neighbours[] = [];
  for (const entry of [...entries].sort((a, b) => a.headerStart - b.headerStart)) {
    const start = entry.headerStart;
    const most = start + RECORD_BYTES.local + entry.nameBytes + LONGEST_EXTRA + entry.compressedBytes;
    const end = Math.min(entry.limit, most);
    const last = groups.at(-1);
    if (last && start - last.end <= GAP_BYTES) {
      last.end = end;
      last.members.push(entry);
    } else groups.push({ start, end, members: [entry] });
  }
  return groups;
}
