import { type Bytes, checkLimit, type Limits } from "@ckptkit/core";
import { readVarint } from "../protobuf/wire.js";
import { hasCrc } from "./crc.js";
import { bundleError } from "./errors.js";
import { endsAsTable, FOOTER_BYTES } from "./footer.js";
import { unsnap } from "./snappy.js";

/** Behind a block stand how it is compressed, and its CRC. */
const TRAILER_BYTES = 5;
const COMPRESSION = { none: 0, snappy: 1 } as const;
/** Bytes of one key: names of variables have some hundred. */
const MOST_KEY_BYTES = 64 * 1024;

/** One entry of a table. */
export interface TableEntry {
  /** One character a byte: keys are in the order of their bytes. */
  readonly key: string;
  readonly value: Bytes;
}

const viewOf = (bytes: Bytes): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Reads a table of LevelDB: entries sorted by key, in blocks that have a CRC each.
 *
 * @throws {CheckpointLoadError} TF_BUNDLE_CORRUPT, LIMIT_EXCEEDED
 * @see https://github.com/google/leveldb/blob/main/doc/table_format.md
 */
export function readTable(bytes: Bytes, name: string, limits: Limits): TableEntry[] {
  if (!endsAsTable(bytes)) throw bundleError(name, "it does not end as one: it is cut off, or something else", { found: bytes.length });
  const blocks = new Blocks(bytes, name, limits);
  const footer = bytes.subarray(bytes.length - FOOTER_BYTES);
  const meta = blocks.place(footer, 0, "the footer");
  const index = blocks.place(footer, meta.next, "the footer");
  const entries: TableEntry[] = [];
  let before: string | undefined;
  for (const { value } of blocks.entries(index.start, index.end, "the list of blocks")) {
    const { start, end } = blocks.place(value, 0, "the list of blocks");
    for (const entry of blocks.entries(start, end, `the block at ${start}`)) {
      if (before !== undefined && entry.key <= before) throw bundleError(name, `the block at ${start} has keys that are out of order`);
      before = entry.key;
      entries.push(entry);
      checkLimit(limits, "tensors", entries.length, `Entries of ${name}`);
    }
  }
  return entries;
}

/** The blocks of one table. */
class Blocks {
  readonly #bytes: Bytes;
  readonly #name: string;
  readonly #limits: Limits;
  /** Bytes of all keys: each may repeat most of the one before. */
  #keyBytes = 0;
  /** Bytes of all blocks. A block that is listed many times is read as often. */
  #blockBytes = 0;

  constructor(bytes: Bytes, name: string, limits: Limits) {
    this.#bytes = bytes;
    this.#name = name;
    this.#limits = limits;
  }

  /** The place of a block, and where the next value stands. @throws {CheckpointLoadError} TF_BUNDLE_CORRUPT */
  place(bytes: Bytes, at: number, what: string): { start: number; end: number; next: number } {
    const start = readVarint(bytes, at);
    const length = start && readVarint(bytes, start.end);
    if (!length || typeof start.value !== "number" || typeof length.value !== "number") {
      throw bundleError(this.#name, `a place in ${what} makes no sense`);
    }
    const end = start.value + length.value;
    if (end + TRAILER_BYTES > this.#bytes.length - FOOTER_BYTES) {
      throw bundleError(this.#name, `${what} places a block at [${start.value}, ${end}), where the file has ${this.#bytes.length} bytes`);
    }
    return { start: start.value, end, next: length.end };
  }

  /** The entries of a block. @throws {CheckpointLoadError} TF_BUNDLE_CORRUPT, LIMIT_EXCEEDED */
  *entries(start: number, end: number, what: string): Generator<TableEntry, void, void> {
    const block = this.#content(start, end, what);
    const malformed = (at: number): Error => bundleError(this.#name, `an entry of ${what} makes no sense`, { at });
    if (block.length < 4) throw malformed(0);
    const restarts = viewOf(block).getUint32(block.length - 4, true);
    const dataEnd = block.length - 4 - 4 * restarts;
    if (dataEnd < 0) throw malformed(block.length - 4);
    let key = "";
    for (let at = 0; at < dataEnd; ) {
      const [shared, own, valueBytes] = [0, 0, 0].map(() => {
        const varint = readVarint(block, at);
        if (!varint || typeof varint.value !== "number") throw malformed(at);
        at = varint.end;
        return varint.value;
      });
      if (shared === undefined || own === undefined || valueBytes === undefined) throw malformed(at);
      const value = at + own;
      if (shared > key.length || shared + own > MOST_KEY_BYTES || value + valueBytes > dataEnd) throw malformed(at);
      this.#keyBytes += shared + own;
      checkLimit(this.#limits, "headerBytes", this.#keyBytes, `Keys of ${this.#name}`);
      key = key.slice(0, shared) + byteText(block.subarray(at, value));
      yield { key, value: block.subarray(value, value + valueBytes) };
      at = value + valueBytes;
    }
  }

  #content(start: number, end: number, what: string): Bytes {
    const trailer = viewOf(this.#bytes);
    if (!hasCrc(this.#bytes.subarray(start, end + 1), trailer.getUint32(end + 1, true))) {
      throw bundleError(this.#name, `${what} does not have the CRC-32C that is recorded for it: it is damaged`, { at: start });
    }
    const stored = this.#bytes.subarray(start, end);
    const compression = trailer.getUint8(end);
    const block = compression === COMPRESSION.none ? stored : compression === COMPRESSION.snappy ? unsnap(stored) : undefined;
    if (!block) throw bundleError(this.#name, `${what} is compressed in a way (${compression}) that makes no sense`, { at: start });
    this.#blockBytes += block.length;
    checkLimit(this.#limits, "headerBytes", this.#blockBytes, `Blocks of ${this.#name}`);
    return block;
  }
}

/** Bytes as text of one character each. */
export const byteText = (bytes: Bytes): string => String.fromCharCode(...bytes);
