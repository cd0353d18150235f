import { type ByteSource, memorySource } from "@ckptkit/core";
import { crc32 } from "@ckptkit/wasm/js";
import { concat, fields, type Piece, sparseSource, text } from "./sparse-source.js";

/** One member of an archive that may be wrong in any way. What is left out is right. */
export interface Member {
  name: string;
  /** What is stored: compressed already, when `method` is 8. */
  data?: Uint8Array;
  /** Declared bytes of `data`; zeros follow when there are fewer. */
  size?: number;
  /** Bytes after inflation. */
  inflatedBytes?: number;
  method?: number;
  /** CRC-32 in the directory. */
  crc?: number;
  /** Flags in the directory. */
  flags?: number;
  /** Bytes of each size in the descriptor behind the data (bit 3 of the flags); with or without its signature. */
  descriptor?: "none" | "12" | "16" | "20" | "24";
  /** Bytes of padding in the local header's extra field. */
  padding?: number;
  /** Zip64 fields that stand in the directory although 32 bits would do. */
  zip64?: readonly ("size" | "compressed" | "offset")[];
  /** Extra field of the directory entry, in the place of what would be right. */
  extra?: Uint8Array;
  /** What the local header says differently. */
  local?: { name?: string; flags?: number; method?: number; crc?: number; size?: number; compressed?: number };
  /** Bytes between this member and the next. */
  gap?: number;
  /** What the directory says differently. */
  central?: { size?: number; compressed?: number; offset?: number; disk?: number };
}

/** What surrounds the members. */
export interface ArchiveOptions {
  /** Bytes before the first member. */
  junk?: number;
  comment?: Uint8Array;
  /** A zip64 end record: always, as torch writes it; "none" leaves it out. */
  zip64?: "always" | "none";
  /** What the end records say differently. */
  end?: { entries?: number; onDisk?: number; disk?: number; bytes?: number; start?: number };
  end64?: { entries?: number; onDisk?: number; bytes?: number; start?: number; recordBytes?: number; position?: number };
  /** Bytes between directory and end record. */
  beforeEnd?: Uint8Array;
}

const OVERFLOW = 0xffffffff;
const STORED = 0x0800;

/** A zip archive, as a source that takes memory only for what is not zeros. */
export function buildZip(members: readonly Member[], options: ArchiveOptions = {}): ByteSource {
  const pieces: Piece[] = [];
  const central: Uint8Array[] = [];
  let at = options.junk ?? 0;
  if (at > 0) pieces.push({ at: 0, bytes: new Uint8Array(at).fill(0x2a) });
  for (const member of members) {
    const start = at;
    const { data = new Uint8Array(0), descriptor = "none" } = member;
    const size = member.size ?? data.length;
    const crc = member.crc ?? (member.method === 8 ? 0 : crc32(data));
    const flags = member.flags ?? (descriptor === "none" ? STORED : STORED | 8);
    const header = localHeader(member, size, crc, flags, descriptor !== "none");
    pieces.push({ at, bytes: header });
    at += header.length;
    if (data.length > 0) pieces.push({ at, bytes: data });
    at += size;
    const tail = descriptorOf(descriptor, crc, size, member.inflatedBytes ?? size);
    if (tail.length > 0) pieces.push({ at, bytes: tail });
    at += tail.length;
    if (member.gap) pieces.push({ at, bytes: new Uint8Array(member.gap).fill(0x2b) });
    at += member.gap ?? 0;
    central.push(centralEntry(member, size, crc, flags, start));
  }
  const directory = concat(...central);
  pieces.push({ at, bytes: directory });
  const ends = endRecords(members.length, at, directory.length, options);
  pieces.push({ at: at + directory.length, bytes: ends });
  return sparseSource(at + directory.length + ends.length, pieces, "test.zip");
}

/** All bytes of a small source. */
export async function bytesOf(source: ByteSource): Promise<Uint8Array> {
  return source.read(0, source.size);
}

/** A copy of a small source with some bytes changed. */
export async function changed(source: ByteSource, change: (bytes: Uint8Array) => Uint8Array | undefined): Promise<ByteSource> {
  const bytes = (await bytesOf(source)).slice();
  return memorySource(change(bytes) ?? bytes, source.name);
}

/** Compresses by DEFLATE, without a header. */
export async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function localHeader(member: Member, size: number, crc: number, flags: number, open: boolean): Uint8Array {
  const { local = {}, padding = 0 } = member;
  const name = text(local.name ?? member.name);
  const inflated = member.inflatedBytes ?? size;
  const declared = open ? [0, 0, 0] : [crc, Math.min(size, OVERFLOW), Math.min(inflated, OVERFLOW)];
  const pad = padding > 0 ? concat(fields([2, 0x4246], [2, padding]), new Uint8Array(padding)) : new Uint8Array(0);
  return concat(
    fields([4, 0x04034b50], [2, 45], [2, local.flags ?? flags], [2, local.method ?? member.method ?? 0], [2, 0], [2, 0x21]),
    fields([4, local.crc ?? declared[0] ?? 0], [4, local.compressed ?? declared[1] ?? 0], [4, local.size ?? declared[2] ?? 0]),
    fields([2, name.length], [2, pad.length]),
    name,
    pad,
  );
}

function descriptorOf(kind: NonNullable<Member["descriptor"]>, crc: number, compressed: number, inflated: number): Uint8Array {
  if (kind === "none") return new Uint8Array(0);
  const width = kind === "12" || kind === "16" ? 4 : 8;
  const sizes = fields([4, crc], [width, compressed], [width, inflated]);
  return kind === "12" || kind === "20" ? sizes : concat(fields([4, 0x08074b50]), sizes);
}

function centralEntry(member: Member, compressedBytes: number, crc: number, flags: number, start: number): Uint8Array {
  const { central = {}, zip64 = [] } = member;
  const name = text(member.name);
  const size = central.size ?? member.inflatedBytes ?? compressedBytes;
  const compressed = central.compressed ?? compressedBytes;
  const offset = central.offset ?? start;
  const wide = { size, compressed, offset };
  const overflowed = (["size", "compressed", "offset"] as const).filter((key) => zip64.includes(key) || wide[key] >= OVERFLOW);
  const small = (key: keyof typeof wide): number => (overflowed.includes(key) ? OVERFLOW : wide[key]);
  const extra =
    member.extra ??
    (overflowed.length > 0
      ? concat(fields([2, 1], [2, 8 * overflowed.length]), ...overflowed.map((key) => fields([8, wide[key]])))
      : new Uint8Array(0));
  return concat(
    fields([4, 0x02014b50], [2, 45], [2, 45], [2, flags], [2, member.method ?? 0], [2, 0], [2, 0x21]),
    fields([4, crc], [4, small("compressed")], [4, small("size")], [2, name.length], [2, extra.length], [2, 0]),
    fields([2, central.disk ?? 0], [2, 0], [4, 0], [4, small("offset")]),
    name,
    extra,
  );
}

function endRecords(count: number, start: number, bytes: number, options: ArchiveOptions): Uint8Array {
  const { end = {}, end64 = {}, comment = new Uint8Array(0), beforeEnd = new Uint8Array(0) } = options;
  const record64 = concat(
    fields([4, 0x06064b50], [8, end64.recordBytes ?? 44], [2, 45], [2, 45], [4, 0], [4, 0]),
    fields([8, end64.onDisk ?? end64.entries ?? count], [8, end64.entries ?? count], [8, end64.bytes ?? bytes], [8, end64.start ?? start]),
  );
  const locator = fields([4, 0x07064b50], [4, 0], [8, end64.position ?? start + bytes + beforeEnd.length], [4, 1]);
  const entries = Math.min(end.entries ?? count, 0xffff);
  const small = concat(
    fields([4, 0x06054b50], [2, end.disk ?? 0], [2, end.disk ?? 0], [2, end.onDisk ?? entries], [2, entries]),
    fields([4, Math.min(end.bytes ?? bytes, OVERFLOW)], [4, Math.min(end.start ?? start, OVERFLOW)], [2, comment.length]),
    comment,
  );
  return options.zip64 === "none" ? concat(beforeEnd, small) : concat(beforeEnd, record64, locator, small);
}
