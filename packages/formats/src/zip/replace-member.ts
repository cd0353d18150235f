import { type ByteSource, type Bytes, finish, type Limits, type SignalOptions } from "@ckptkit/core";
import { crc32 } from "@ckptkit/wasm/crc";
import type { EditPart, FileEdit } from "../edit/file-edit.js";
import { readDirectory, type ZipEntry } from "./directory.js";
import { EXTRA_TORCH_PADDING, EXTRA_ZIP64, OVERFLOW_16, OVERFLOW_32, RECORD_BYTES, SIGNATURE, viewOf, zipError } from "./records.js";
import { centralEntry, DOS_DATE, endRecords, joined, VERSION_ZIP64, zip64Field } from "./write-records.js";

/** Members that come after the replaced one keep their alignment: they move by multiples of this. @see torch.serialization, storage_alignment */
const ALIGNMENT = 64;
/** Names are UTF-8; CRC-32 and sizes stand in the header. */
const FLAGS = 0x0800;
/** The longest extra field that a header can have, and what the header of one field takes of it. */
const LONGEST_EXTRA = 0xffff;
const FIELD_BYTES = 4;

/** An archive with one member replaced or added. */
export interface ReplacedMember extends FileEdit {
  /** Members that come to lie elsewhere. */
  readonly moved: readonly ZipEntry[];
}

/**
 * Puts a stored member into an archive: in the place of the one of its name, or behind all others. The bytes of members before it stay where they are,
 * entries of the directory stay as they were written, and what of the replaced member is not needed is not left behind.
 *
 * @throws {CheckpointLoadError} ZIP_*, LIMIT_EXCEEDED
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT section 4.3
 */
export async function replaceMember(
  source: ByteSource,
  name: string,
  content: Uint8Array,
  limits: Limits,
  options?: SignalOptions,
): Promise<ReplacedMember> {
  const { entries, end } = await finish(readDirectory(source, limits, options));
  const old = entries.find((entry) => entry.name === name);
  const start = old?.headerStart ?? end.directoryStart;
  const oldEnd = old?.limit ?? start;
  const followers = entries.filter(({ headerStart }) => headerStart >= oldEnd);
  const record = localRecord(name, content, followers.length > 0 ? oldEnd - start : undefined);
  const shift = followers.length > 0 ? start + record.length - oldEnd : 0;

  const raw = rawEntries(await source.read(end.directoryStart, end.endStart, options), entries.length, source.name);
  const added = centralEntry({
    name: new TextEncoder().encode(name),
    crc32: crc32(content),
    byteLength: content.length,
    headerStart: start,
    flags: FLAGS,
  });
  const directory = entries.map((entry, index) => {
    if (entry === old) return added;
    const bytes = raw[index] ?? new Uint8Array(0);
    return shift !== 0 && entry.headerStart >= oldEnd ? movedEntry(bytes, entry, entry.headerStart + shift, source.name) : bytes;
  });
  if (!old) directory.push(added);
  const comment = await source.read(source.size - end.commentBytes, source.size, options);
  const parts: EditPart[] = [{ start: 0, end: start }, record];
  if (followers.length > 0) parts.push({ start: oldEnd, end: end.directoryStart });
  const directoryStart = start + record.length + (followers.length > 0 ? end.directoryStart - oldEnd : 0);
  const directoryBytes = joined(directory);
  parts.push(
    joined([directoryBytes, endRecords(directory.length, directoryStart, directoryStart + directoryBytes.length, comment.slice())]),
  );
  return { parts, moved: shift === 0 ? [] : followers };
}

/**
 * A local header with the member's bytes behind it.
 *
 * @param span bytes that the replaced member took, where others follow: so many are filled again, or a multiple of 64 more or fewer.
 */
function localRecord(name: string, content: Uint8Array, span: number | undefined): Uint8Array {
  const encoded = new TextEncoder().encode(name);
  const extraBytes = span === undefined ? 0 : paddingFor(RECORD_BYTES.local + encoded.length + content.length, span);
  const bytes = new Uint8Array(RECORD_BYTES.local + encoded.length + extraBytes + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE.local, true);
  view.setUint16(4, VERSION_ZIP64, true);
  view.setUint16(6, FLAGS, true);
  view.setUint16(12, DOS_DATE, true);
  view.setUint32(14, crc32(content), true);
  view.setUint32(18, content.length, true);
  view.setUint32(22, content.length, true);
  view.setUint16(26, encoded.length, true);
  view.setUint16(28, extraBytes, true);
  bytes.set(encoded, RECORD_BYTES.local);
  if (extraBytes > 0) {
    const extra = RECORD_BYTES.local + encoded.length;
    view.setUint16(extra, EXTRA_TORCH_PADDING, true);
    view.setUint16(extra + 2, extraBytes - FIELD_BYTES, true);
    bytes.fill(0x5a, extra + FIELD_BYTES, extra + extraBytes); // "Z", as torch pads
  }
  bytes.set(content, bytes.length - content.length);
  return bytes;
}

/** Bytes of an extra field that make a record of `least` bytes as long as `span`, or as near as multiples of 64 come. */
function paddingFor(least: number, span: number): number {
  const spare = span - least;
  if (spare === 0 || (spare >= FIELD_BYTES && spare <= LONGEST_EXTRA)) return spare;
  const padding = ((spare % ALIGNMENT) + ALIGNMENT) % ALIGNMENT;
  return padding === 0 || padding >= FIELD_BYTES ? padding : padding + ALIGNMENT;
}

/** The entries of a directory as they stand in the archive. */
function rawEntries(bytes: Bytes, count: number, archive: string): Uint8Array[] {
  const view = viewOf(bytes);
  const raw: Uint8Array[] = [];
  for (let at = 0, index = 0; index < count; index++) {
    if (at + RECORD_BYTES.central > bytes.length) throw zipError(archive, `entry ${index} of its directory is cut off`, { at });
    const end = at + RECORD_BYTES.central + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    raw.push(bytes.slice(at, end));
    at = end;
  }
  return raw;
}

/** An entry whose member begins elsewhere: all as before, but its place, and the zip64 field where one is needed for it. */
function movedEntry(bytes: Uint8Array, entry: ZipEntry, headerStart: number, archive: string): Uint8Array {
  const view = viewOf(bytes);
  const extraStart = RECORD_BYTES.central + view.getUint16(28, true);
  const extraEnd = extraStart + view.getUint16(30, true);
  if (view.getUint16(34, true) === OVERFLOW_16) throw zipError(archive, "an entry of its directory names its disk in a zip64 field");
  const values = [
    ...(view.getUint32(24, true) === OVERFLOW_32 ? [entry.byteLength] : []),
    ...(view.getUint32(20, true) === OVERFLOW_32 ? [entry.compressedBytes] : []),
    ...(headerStart >= OVERFLOW_32 ? [headerStart] : []),
  ];
  const others: Uint8Array[] = [];
  for (let at = extraStart; at + FIELD_BYTES <= extraEnd; ) {
    const end = at + FIELD_BYTES + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) !== EXTRA_ZIP64) others.push(bytes.slice(at, end));
    at = end;
  }
  const extra = joined([zip64Field(values), ...others]);
  const moved = joined([bytes.slice(0, extraStart), extra, bytes.slice(extraEnd)]);
  const movedView = viewOf(moved);
  if (values.length > 0) movedView.setUint16(6, Math.max(VERSION_ZIP64, view.getUint16(6, true)), true);
  movedView.setUint16(30, extra.length, true);
  movedView.setUint32(42, Math.min(headerStart, OVERFLOW_32), true);
  return moved;
}
