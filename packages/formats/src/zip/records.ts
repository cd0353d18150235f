import { CheckpointLoadError, type Probe } from "@ckptkit/core";

/**
 * Layouts of the zip records that are read and written here. All integers are little-endian.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3.7 (local header), 4.3.12 (central directory),
 * 4.3.14-16 (end records), 4.5.3 (zip64 extra field)
 */
export const SIGNATURE = {
  local: 0x04034b50,
  descriptor: 0x08074b50,
  central: 0x02014b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  end: 0x06054b50,
} as const;

/** Fixed sizes of the records, in bytes, without names, extra fields and comments. */
export const RECORD_BYTES = { local: 30, central: 46, end64: 56, locator64: 20, end: 22 } as const;

/** Compression methods of checkpoints. */
export const METHOD = { stored: 0, deflated: 8 } as const;

/** General purpose flags (APPNOTE 4.4.4). */
export const FLAG = {
  /** Bits 0 and 6: the member is encrypted; bit 13: the directory is masked. */
  encrypted: 0x0001 | 0x0040 | 0x2000,
  /** Bit 3: CRC-32 and sizes stand behind the data. */
  descriptor: 0x0008,
} as const;

/** Id of the zip64 extended information extra field. */
export const EXTRA_ZIP64 = 0x0001;
/** "FB": the padding that torch puts into local headers to align its records. */
export const EXTRA_TORCH_PADDING = 0x4246;

/** The values that stand for "see the zip64 field". */
export const OVERFLOW_16 = 0xffff;
export const OVERFLOW_32 = 0xffffffff;

/** A malformed archive. */
export function zipError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("ZIP_CORRUPT", `The zip archive ${name} is damaged: ${why}.`, {
    details,
    suggestions: ["Fetch the file again, or compare its size with the original's."],
  });
}

/** A 64-bit size or offset as an exact number. */
export function exact(view: DataView, at: number, name: string, what: string): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw zipError(name, `${what} is ${value}`);
  return Number(value);
}

/** A view of bytes wherever they lie in their buffer. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Whether a file begins as zip archives with members do. */
export const isZip = ({ head }: Probe): boolean => head.length >= 4 && viewOf(head).getUint32(0, true) === SIGNATURE.local;
