import { crc32, inflateRawSync } from "node:zlib";

/** A member of an archive that is taken apart to be put together again. */
export interface Member {
  readonly name: string;
  /** Inflated; undefined where it cannot be. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

/** The members of a zip archive that is as it should be; undefined for other bytes. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export function membersOf(bytes: Uint8Array<ArrayBuffer>): readonly Member[] | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = file.lastIndexOf("PK\x05\x06", undefined, "latin1");
  if (end < 0 || end + 22 > file.length || file.readUInt32LE(0) !== 0x04034b50) return undefined;
  const members: Member[] = [];
  let at = file.readUInt32LE(end + 16);
  while (at + 46 <= end && file.readUInt32LE(at) === 0x02014b50) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => file.readUInt16LE(at + offset));
    const start = file.readUInt32LE(at + 42);
    if (start + 30 > file.length) return undefined;
    const data = start + 30 + file.readUInt16LE(start + 26) + file.readUInt16LE(start + 28);
    const raw = file.subarray(data, data + file.readUInt32LE(at + 20));
    members.push({ name: file.toString("utf8", at + 46, at + 46 + (nameBytes ?? 0)), bytes: unpack(raw, file.readUInt16LE(at + 10)) });
    at += 46 + (nameBytes ?? 0) + (extraBytes ?? 0) + (commentBytes ?? 0);
  }
  return members;
}

function unpack(raw: Buffer, method: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(method === 8 ? inflateRawSync(raw, { maxOutputLength: 1 << 20 }) : raw);
  } catch {
    return undefined;
  }
}

/** An archive of stored members whose checksums are right, so that a reader looks at what is in them. */
export function archiveOf(members: readonly Member[]): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes = new Uint8Array(0) } of members) {
    const encoded = Buffer.from(name);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(bytes.length, 14);
    shared.writeUInt32LE(bytes.length, 18);
    shared.writeUInt16LE(encoded.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), shared, encoded, bytes]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), shared, rest, encoded]));
    parts.push(local);
    at += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return new Uint8Array(Buffer.concat([...parts, listed, end]));
}
