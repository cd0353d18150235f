import { type ByteSource, type Bytes, checkRange, type SignalOptions } from "@ckptkit/core";
import { onnxError } from "./cursor.js";

/** A run of entries of a repeated field. */
export interface TypedRun {
  readonly start: number;
  readonly end: number;
  /** Bytes of a tag before each entry; 0 where they are packed. */
  readonly tagBytes: number;
}

/** Entries between two places that are remembered, so that a read in the middle begins near it. */
const STEP = 65_536;
const PIECE_BYTES = 64 * 1024;
/** Bytes of the longest entry with its tag. */
const LONGEST_ENTRY = 20;

/** Where an entry stands. */
interface Place {
  readonly run: number;
  readonly at: number;
}

/**
 * The bytes of a tensor whose elements are stored as varints, or each with a tag: decoded as they are read, in constant memory.
 *
 * @param typed `entryBytes` little-endian bytes are taken of each of `count` entries; `fixedBytes` is how many an entry has in the file, 0 for varints.
 */
export function typedSource(
  inner: ByteSource,
  typed: { name: string; runs: readonly TypedRun[]; fixedBytes: number; entryBytes: number; count: number },
): ByteSource {
  const { name, runs, fixedBytes, entryBytes, count } = typed;
  const places: Place[] = [{ run: 0, at: runs[0]?.start ?? 0 }];

  /** Decodes entries [first, first + number) into bytes. */
  const decode = async (first: number, number: number, options?: SignalOptions): Promise<Bytes> => {
    const out = new Uint8Array(number * entryBytes);
    const known = Math.min(Math.floor(first / STEP), places.length - 1);
    let entry = known * STEP;
    let { run, at } = places[known] ?? { run: 0, at: 0 };
    while (entry < first + number) {
      options?.signal?.throwIfAborted();
      const current = runs[run];
      if (!current) throw onnxError(inner.name, `the typed data of ${name} has fewer values than its shape needs`);
      if (at >= current.end) {
        at = runs[++run]?.start ?? 0;
        continue;
      }
      const piece = await inner.read(at, Math.min(current.end, at + PIECE_BYTES), options);
      const isLast = at + piece.length === current.end;
      let next = 0;
      while (next < piece.length && entry < first + number && (isLast || piece.length - next >= LONGEST_ENTRY)) {
        if (entry > 0 && entry % STEP === 0 && entry / STEP === places.length) places.push({ run, at: at + next });
        const value = next + current.tagBytes;
        const end = fixedBytes > 0 ? value + fixedBytes : endOfVarint(piece, value);
        if (end > piece.length) throw onnxError(inner.name, `a value of the typed data of ${name} is cut off`, { at: at + next });
        if (entry >= first) {
          const to = (entry - first) * entryBytes;
          if (fixedBytes > 0) out.set(piece.subarray(value, value + entryBytes), to);
          else putVarint(piece, value, end, out, to, entryBytes);
        }
        next = end;
        entry++;
      }
      at += next;
    }
    return out;
  };

  const source: ByteSource = {
    size: count * entryBytes,
    name,
    async readInto(target, start, options) {
      checkRange(source, start, start + target.length);
      for (let done = 0; done < target.length; ) {
        const first = Math.floor((start + done) / entryBytes);
        const last = Math.min(Math.ceil((start + target.length) / entryBytes), first + STEP);
        const bytes = await decode(first, last - first, options);
        const part = bytes.subarray(start + done - first * entryBytes).subarray(0, target.length - done);
        target.set(part, done);
        done += part.length;
      }
    },
    async read(start, end, options) {
      checkRange(source, start, end);
      const target = new Uint8Array(end - start);
      await source.readInto?.(target, start, options);
      return target;
    },
    locate: async () => undefined,
  };
  return source;
}

/** Elements of six bits, the first in the lowest bits, from a source that has a byte for each. */
export function sixBitSource(codes: ByteSource): ByteSource {
  const source: ByteSource = {
    size: Math.ceil((codes.size * 6) / 8),
    name: codes.name,
    async read(start, end, options) {
      checkRange(source, start, end);
      // Four elements are three bytes.
      const [first, last] = [Math.floor(start / 3), Math.ceil(end / 3)];
      const group = await codes.read(4 * first, Math.min(codes.size, 4 * last), options);
      const packed = new Uint8Array(3 * (last - first));
      for (const [index, code] of group.entries()) {
        const at = Math.floor((index * 6) / 8);
        const bits = (code % 64) * 2 ** ((index * 6) % 8);
        packed[at] = (packed[at] ?? 0) + (bits % 256);
        if (bits >= 256) packed[at + 1] = Math.floor(bits / 256);
      }
      return packed.subarray(start - 3 * first, end - 3 * first);
    },
    locate: async () => undefined,
  };
  return source;
}

/** Where the varint that begins at `at` ends: beyond the bytes when it is cut off, or longer than any. */
function endOfVarint(bytes: Bytes, at: number): number {
  for (let end = at; end < at + 10; end++) if ((bytes[end] ?? 128) < 128) return end + 1;
  return bytes.length + 1;
}

/** The lowest bytes of a varint. */
function putVarint(bytes: Bytes, start: number, end: number, out: Uint8Array, to: number, outBytes: number): void {
  let held = 0;
  let bits = 0;
  let put = 0;
  for (let at = start; at < end && put < outBytes; at++) {
    held |= ((bytes[at] ?? 0) & 127) << bits;
    bits += 7;
    if (bits < 8) continue;
    out[to + put++] = held & 255;
    held >>>= 8;
    bits -= 8;
  }
  if (put < outBytes && bits > 0) out[to + put] = held & 255;
}
