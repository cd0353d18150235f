import type { Random } from "@ckptkit/testkit";
import { archiveOf, membersOf } from "./zip-members.js";

type Bytes = Uint8Array<ArrayBuffer>;
type Change = (part: Bytes) => Bytes;

const TAR_BLOCK = 512;

/**
 * Changes a part within a container and puts the container's own sums and lengths right again, so that the change is seen by what
 * reads the part and not by what guards it. Undefined where the bytes are no such container.
 */
export function rebuild(bytes: Bytes, random: Random, change: Change): Bytes | undefined {
  return rebuildZip(bytes, random, change) ?? rebuildTar(bytes, random, change) ?? rebuildHeader(bytes, change);
}

function rebuildZip(bytes: Bytes, random: Random, change: Change): Bytes | undefined {
  const members = membersOf(bytes);
  if (!members || members.length === 0) return undefined;
  // Descriptions are small, and what is interesting; tensors are bytes.
  const described = members.filter(({ name }) => /\.(?:pkl|json|py)$|version$|byteorder$|\.npy$|\.h5$/.test(name));
  const chosen =
    described.length > 0 && random.integer(8) > 0 ? described[random.integer(described.length)] : members[random.integer(members.length)];
  const changed = members.map((member) => (member === chosen ? { ...member, bytes: change(member.bytes ?? new Uint8Array(0)) } : member));
  const kind = random.integer(16);
  if (kind === 0) changed.splice(random.integer(changed.length), 1);
  if (kind === 1) changed.push(changed[random.integer(changed.length)] ?? { name: "x", bytes: undefined });
  return archiveOf(changed);
}

/** A tar archive with one header changed and its sum made right. @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html ustar */
function rebuildTar(bytes: Bytes, random: Random, change: Change): Bytes | undefined {
  const text = (start: number, end: number): string => Buffer.from(bytes.subarray(start, end)).toString("latin1");
  if (text(257, 262) !== "ustar") return undefined;
  const headers: number[] = [];
  for (let at = 0; at + TAR_BLOCK <= bytes.length && bytes[at] !== 0; ) {
    headers.push(at);
    const size = Number.parseInt(text(at + 124, at + 136), 8) || 0;
    at += TAR_BLOCK + TAR_BLOCK * Math.ceil(size / TAR_BLOCK);
  }
  const at = headers[random.integer(headers.length)] ?? 0;
  const header = change(bytes.slice(at, at + TAR_BLOCK)).slice(0, TAR_BLOCK);
  const copy = bytes.slice();
  copy.set(header, at);
  copy.fill(0x20, at + 148, at + 156);
  const sum = copy.subarray(at, at + TAR_BLOCK).reduce((total, byte) => total + byte, 0);
  copy.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), at + 148);
  return copy;
}

/** A safetensors file or numpy array whose header is changed, with its length in front made right. */
function rebuildHeader(bytes: Bytes, change: Change): Bytes | undefined {
  if (bytes.length < 16) return undefined;
  const view = new DataView(bytes.buffer);
  const isNumpy = bytes[0] === 0x93 && bytes[1] === 0x4e;
  const start = isNumpy ? 10 : 8;
  const length = isNumpy ? view.getUint16(8, true) : Number(view.getBigUint64(0, true));
  if (length > bytes.length - start || length === 0 || (!isNumpy && bytes[8] !== 0x7b)) return undefined;
  const header = change(bytes.slice(start, start + length));
  if (isNumpy && header.length > 0xffff) return undefined;
  const whole = new Uint8Array(bytes.length - length + header.length);
  whole.set(bytes.subarray(0, start));
  whole.set(header, start);
  whole.set(bytes.subarray(start + length), start + header.length);
  const changed = new DataView(whole.buffer);
  if (isNumpy) changed.setUint16(8, header.length, true);
  else changed.setBigUint64(0, BigInt(header.length), true);
  return whole;
}
