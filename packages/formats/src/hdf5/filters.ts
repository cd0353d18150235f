import { type Bytes, CheckpointError, type Limits, memorySource, type SignalOptions } from "@ckptkit/core";
import { InflateStream } from "../zip/inflate-stream.js";
import { fletcher32 } from "./checksum.js";
import { hdf5Error, hdf5Unsupported } from "./errors.js";
import type { Fields } from "./fields.js";
import { inflateLzf } from "./lzf.js";

/** One filter that chunks go through when they are written. */
export interface Filter {
  readonly id: number;
  /** Name that the file gives it; often empty. */
  readonly name: string;
  readonly values: readonly number[];
}

const ID = { deflate: 1, shuffle: 2, fletcher32: 3, lzf: 32000 } as const;

/** Names of filters that are not read here, for messages. @see https://github.com/HDFGroup/hdf5_plugins */
const OTHERS: Readonly<Record<number, string>> = {
  4: "szip",
  5: "nbit",
  6: "scaleoffset",
  307: "bzip2",
  32001: "blosc",
  32004: "lz4",
  32008: "bitshuffle",
  32013: "zfp",
  32015: "zstd",
  32026: "blosc2",
};

/** H5Z_MAX_NFILTERS. */
const MOST_FILTERS = 32;

/**
 * Reads a filter pipeline message.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.l. The Data Storage - Filter Pipeline Message)
 */
export function parseFilters(fields: Fields): Filter[] {
  const version = fields.version(1, 2);
  const count = fields.u8();
  if (count > MOST_FILTERS) throw fields.bad(`has ${count} filters`);
  fields.skip(version === 1 ? 6 : 0);
  return Array.from({ length: count }, () => {
    const id = fields.u16();
    const nameBytes = version === 1 || id >= 256 ? fields.u16() : 0;
    fields.skip(2);
    const valueCount = fields.u16();
    const name = fields.take(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
    const values = Array.from({ length: valueCount }, () => fields.u32());
    if (version === 1 && valueCount % 2 === 1) fields.skip(4);
    return { id, name: String.fromCharCode(...name.filter((byte) => byte >= 0x20 && byte < 0x7f)), values };
  });
}

/** The filters of a pipeline that are not read here, by their names; empty where all are. */
export const unknownFilters = (filters: readonly Filter[]): string[] =>
  filters.filter(({ id }) => !(Object.values(ID) as number[]).includes(id)).map(({ id, name }) => OTHERS[id] ?? (name || `number ${id}`)); // widened: any id may be asked for

/** The filters that a chunk went through: all whose bit is not set in its mask. */
export const filtersOf = (filters: readonly Filter[], mask: number): Filter[] =>
  filters.filter((_, index) => Math.floor(mask / 2 ** index) % 2 === 0);

/** What of a chunk must be known to undo its filters. */
export interface FilteredChunk {
  /** The chunk, for messages. */
  readonly what: string;
  readonly file: string;
  readonly filters: readonly Filter[];
  readonly chunkBytes: number;
  readonly itemBytes: number;
  readonly limits: Limits;
}

/**
 * The bytes of a chunk before its filters.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, HDF5_UNSUPPORTED, CRC_MISMATCH
 */
export async function unfiltered(stored: Bytes, chunk: FilteredChunk, options?: SignalOptions): Promise<Bytes> {
  const { filters, chunkBytes, file, what } = chunk;
  const unknown = unknownFilters(filters);
  if (unknown.length > 0) throw hdf5Unsupported(file, `The values were filtered by ${unknown.join(" and ")}`, { filters: unknown });
  // How long the bytes were before each filter: checksums make them longer.
  const lengths = [chunkBytes];
  for (const { id } of filters) lengths.push((lengths.at(-1) ?? 0) + (id === ID.fletcher32 ? 4 : 0));
  let bytes = stored;
  for (let index = filters.length - 1; index >= 0; index--) {
    const filter = filters[index];
    const length = lengths[index] ?? 0;
    switch (filter?.id) {
      case ID.deflate:
        bytes = await inflate(bytes, length, chunk, options);
        break;
      case ID.lzf:
        bytes = inflateLzf(bytes, length) ?? fail(chunk, `cannot be unpacked into ${length} bytes`);
        break;
      case ID.fletcher32:
        bytes = withoutChecksum(bytes, chunk);
        break;
      case ID.shuffle:
        bytes = unshuffled(bytes, filter.values[0] ?? chunk.itemBytes);
        break;
    }
  }
  if (bytes.length !== chunkBytes) throw hdf5Error(file, `${what} has ${bytes.length} bytes, not ${chunkBytes}`);
  return bytes;
}

function fail({ file, what }: FilteredChunk, why: string): never {
  throw hdf5Error(file, `${what} ${why}`);
}

async function inflate(bytes: Bytes, length: number, { file, what, limits }: FilteredChunk, options?: SignalOptions): Promise<Bytes> {
  if (length > bytes.length * limits.inflateRatio)
    throw hdf5Error(file, `${what} has ${bytes.length} bytes, which cannot be inflated to ${length}`);
  const stream = new InflateStream(memorySource(bytes, file), length, "deflate");
  try {
    const inflated = new Uint8Array(length);
    await stream.fill(inflated, options);
    return inflated;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw Object.assign(hdf5Error(file, `${what} cannot be inflated to ${length} bytes`), { cause: error });
  } finally {
    await stream.cancel();
  }
}

function withoutChecksum(bytes: Bytes, chunk: FilteredChunk): Bytes {
  const body = bytes.subarray(0, Math.max(0, bytes.length - 4));
  const stored = [3, 2, 1, 0].reduce((value, at) => value * 256 + (bytes[body.length + at] ?? 0), 0);
  const found = fletcher32(body);
  if (stored === found) return body;
  return fail(chunk, `is damaged: its Fletcher-32 is ${found.toString(16)}, where ${stored.toString(16)} was recorded`);
}

/** Puts bytes that were ordered by their place in the element back together. Bytes that are no whole element stayed at the end. */
function unshuffled(bytes: Bytes, itemBytes: number): Bytes {
  const count = itemBytes > 1 ? Math.floor(bytes.length / itemBytes) : 0;
  if (count < 2) return bytes;
  const result = new Uint8Array(bytes.length);
  for (let byte = 0, from = 0; byte < itemBytes; byte++)
    for (let at = byte, end = count * itemBytes; at < end; at += itemBytes) result[at] = bytes[from++] ?? 0;
  result.set(bytes.subarray(count * itemBytes), count * itemBytes);
  return result;
}
