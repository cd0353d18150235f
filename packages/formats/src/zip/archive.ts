import { type ByteSource, crcMismatch, type Finding, type Limits, type SignalOptions } from "@ckptkit/core";
import { crc32 } from "@ckptkit/wasm/js";
import { readDirectory, type ZipEntry } from "./directory.js";
import { memberSource } from "./member-source.js";

/** Rule of the finding that a record's bytes do not have the CRC-32 recorded for them. */
export const CRC_RULE = "crc-mismatch";

/** A zip archive whose directory has been read. */
export interface ZipArchive {
  readonly name: string;
  /** Members by name, in the directory's order. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** The bytes of a member, not read yet. */
  source(entry: ZipEntry): ByteSource;
  /** All bytes of a small member. A CRC-32 that was recorded (0 = none) and does not hold becomes a finding. */
  read(entry: ZipEntry, findings: Finding[], options?: SignalOptions): Promise<Uint8Array>;
}

/**
 * Opens an archive from its central directory.
 *
 * @throws {CheckpointLoadError} ZIP_NO_END_RECORD, ZIP_CORRUPT, ZIP_UNSUPPORTED, LIMIT_EXCEEDED
 */
export async function openZip(source: ByteSource, limits: Limits, options?: SignalOptions): Promise<ZipArchive> {
  const entries = await readDirectory(source, limits, options);
  return {
    name: source.name,
    entries: new Map(entries.map((entry) => [entry.name, entry])),
    source: (entry) => memberSource(source, entry, limits),
    async read(entry, findings, readOptions) {
      const bytes = await memberSource(source, entry, limits).read(0, entry.byteLength, readOptions);
      const found = entry.crc32 === 0 ? 0 : crc32(bytes);
      if (found !== entry.crc32) {
        findings.push({ rule: CRC_RULE, severity: "error", message: crcMismatch(entry.name, entry.crc32, found).message, at: entry.name });
      }
      return bytes;
    },
  };
}
