import { type ByteSource, type Bytes, checkLimit, type Limits, type OperationOptions } from "@ckptkit/core";
import { decodeName, type ZipEntry } from "./directory.js";
import { EXTRA_ZIP64, FLAG, METHOD, OVERFLOW_32, RECORD_BYTES, SIGNATURE, viewOf } from "./records.js";

/** A member that was found by its local header, without the directory. */
export interface WalkedMember {
  readonly name: string;
  readonly headerStart: number;
  /** Where its data begins. */
  readonly dataStart: number;
  /** The member as a directory would have it; undefined where nothing tells its size. */
  readonly entry: ZipEntry | undefined;
}

/** What stands behind the data of a member whose header tells no size. */
interface Descriptor {
  crc32: number;
  compressedBytes: number;
  byteLength: number;
}

const PIECE_BYTES = 1024 * 1024;
/** A descriptor with its signature and sizes of 8 bytes (APPNOTE 4.3.9): what a piece needs of the next one. */
const DESCRIPTOR_BYTES = 24;
const LETTER_P = 0x50;
/** Bytes of a name, and of the extra field where it has to be looked into: a file full of headers must not be read thousands of times. */
const MOST_NAME_BYTES = 1024;
const MOST_EXTRA_BYTES = 1024;

/**
 * Finds the members of an archive by their local headers, in one pass over all of its bytes: for archives whose directory is
 * lost. Where a header leaves size and CRC-32 to the descriptor behind the data, as torch does, that descriptor is found by its
 * own sizes, which must lead back to where the data begins.
 *
 * Bytes of a tensor may look like a member: callers check CRC-32 and size.
 *
 * @returns members in the order of the file.
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3.7 and 4.3.9
 */
export async function walkMembers(source: ByteSource, limits: Limits, options: OperationOptions = {}): Promise<WalkedMember[]> {
  const headers: number[] = [];
  const descriptors = new Map<number, Descriptor>();
  for (let at = 0; at < source.size; at += PIECE_BYTES) {
    options.signal?.throwIfAborted();
    const bytes = await source.read(at, Math.min(source.size, at + PIECE_BYTES + DESCRIPTOR_BYTES), options);
    const view = viewOf(bytes);
    for (let from = bytes.indexOf(LETTER_P); from >= 0 && from < PIECE_BYTES; from = bytes.indexOf(LETTER_P, from + 1)) {
      if (from + 4 > bytes.length) break;
      const signature = view.getUint32(from, true);
      if (signature === SIGNATURE.local) headers.push(at + from);
      else if (signature === SIGNATURE.descriptor) noteDescriptor(view, from, at + from, descriptors);
    }
    checkLimit(limits, "zipEntries", Math.max(headers.length, descriptors.size / 2), `Members of ${source.name}`);
    options.onProgress?.({ phase: "search", done: Math.min(source.size, at + PIECE_BYTES), total: source.size });
  }
  const members: WalkedMember[] = [];
  for (const headerStart of headers) {
    const member = await memberOf(source, headerStart, descriptors, options);
    if (member) members.push(member);
  }
  return members;
}

/** Notes where the data must begin to which a descriptor belongs, for both widths of its sizes. */
function noteDescriptor(view: DataView, from: number, at: number, descriptors: Map<number, Descriptor>): void {
  const left = view.byteLength - from;
  const note = (compressedBytes: number, byteLength: number): void => {
    if (compressedBytes === 0 || compressedBytes > at) return;
    // A later one wins: what looks like a descriptor within the data stands before the real one.
    descriptors.set(at - compressedBytes, { crc32: view.getUint32(from + 4, true), compressedBytes, byteLength });
  };
  if (left >= 16) note(view.getUint32(from + 8, true), view.getUint32(from + 12, true));
  if (left >= DESCRIPTOR_BYTES) note(Number(view.getBigUint64(from + 8, true)), Number(view.getBigUint64(from + 16, true)));
}

/** The member whose local header is at `headerStart`; undefined where it cannot be one. */
async function memberOf(
  source: ByteSource,
  headerStart: number,
  descriptors: ReadonlyMap<number, Descriptor>,
  options: OperationOptions,
): Promise<WalkedMember | undefined> {
  const nameStart = headerStart + RECORD_BYTES.local;
  if (nameStart > source.size) return undefined;
  const fixed = viewOf(await source.read(headerStart, nameStart, options));
  const flags = fixed.getUint16(6, true);
  const method = fixed.getUint16(8, true);
  const nameBytes = fixed.getUint16(26, true);
  const dataStart = nameStart + nameBytes + fixed.getUint16(28, true);
  const isReadable = (flags & FLAG.encrypted) === 0 && (method === METHOD.stored || method === METHOD.deflated);
  if (nameBytes === 0 || nameBytes > MOST_NAME_BYTES || dataStart > source.size || !isReadable) return undefined;
  const isWide = fixed.getUint32(18, true) === OVERFLOW_32 || fixed.getUint32(22, true) === OVERFLOW_32;
  const extraBytes = isWide ? Math.min(MOST_EXTRA_BYTES, dataStart - nameStart - nameBytes) : 0;
  const rest = await source.read(nameStart, nameStart + nameBytes + extraBytes, options);
  const name = decodeName(rest, 0, nameBytes);
  const sizes = sizesOf(fixed, rest.subarray(nameBytes)) ?? descriptors.get(dataStart);
  const limit = dataStart + (sizes?.compressedBytes ?? 0);
  const isSound = sizes && limit <= source.size && (method !== METHOD.stored || sizes.compressedBytes === sizes.byteLength);
  const entry = isSound ? { ...sizes, name, nameBytes, method, headerStart, limit } : undefined;
  return { name, headerStart, dataStart, entry };
}

/** What a local header says of the data; undefined when it leaves that to a descriptor, or contradicts itself. */
function sizesOf(fixed: DataView, extra: Bytes): Descriptor | undefined {
  const crc32 = fixed.getUint32(14, true);
  const compressedBytes = fixed.getUint32(18, true);
  const byteLength = fixed.getUint32(22, true);
  const isOpen = (fixed.getUint16(6, true) & FLAG.descriptor) !== 0 && compressedBytes === 0;
  if (isOpen) return undefined;
  if (compressedBytes !== OVERFLOW_32 && byteLength !== OVERFLOW_32) return { crc32, compressedBytes, byteLength };
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    // Both sizes must be there in a local header, the one before compression first (APPNOTE 4.5.3).
    if (view.getUint16(at, true) !== EXTRA_ZIP64 || view.getUint16(at + 2, true) < 16 || at + 20 > extra.length) continue;
    return { crc32, byteLength: Number(view.getBigUint64(at + 4, true)), compressedBytes: Number(view.getBigUint64(at + 12, true)) };
  }
  return undefined;
}
