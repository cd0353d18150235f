import { type ByteSink, type Bytes, CheckpointConfigError, type Hasher, type Kernels } from "@ckptkit/core";
import { EXTRA_TORCH_PADDING, OVERFLOW_32, RECORD_BYTES, SIGNATURE } from "./records.js";
import { centralEntry, DOS_DATE, endRecords, joined, type StoredMember, VERSION_ZIP64 } from "./write-records.js";

/** Member data begins at multiples of this, so that it can be mapped into memory. @see torch.serialization, storage_alignment */
const DATA_ALIGNMENT = 64;
/** A descriptor follows the data (bit 3), and names are UTF-8 (bit 11): the flags of torch's own archives. */
const FLAGS = 0x0808;

/** Entries of the directory that are written at once: some 64 KiB. */
const ENTRIES_AT_ONCE = 1000;

/**
 * Writes an archive of stored members in one pass, in the way of torch.save: sizes and CRC-32 behind the data, data aligned
 * to 64 bytes by an "FB" extra field, zip64 end records always.
 */
export class ZipWriter {
  readonly #sink: ByteSink;
  readonly #kernels: Kernels;
  readonly #written: StoredMember[] = [];
  readonly #names = new Set<string>();

  constructor(sink: ByteSink, kernels: Kernels) {
    this.#sink = sink;
    this.#kernels = kernels;
  }

  /**
   * Appends a member with the bytes of `chunks`.
   *
   * @throws {CheckpointConfigError} INVALID_ARGUMENT for a name that stands already: readers would choose differently
   */
  async add(name: string, chunks: AsyncIterable<Bytes> | Iterable<Bytes>): Promise<void> {
    if (this.#names.has(name)) {
      throw new CheckpointConfigError("INVALID_ARGUMENT", `The record ${JSON.stringify(name)} would be written twice.`);
    }
    this.#names.add(name);
    const encoded = new TextEncoder().encode(name);
    const headerStart = this.#sink.position;
    await this.#sink.write(localHeader(encoded, headerStart));
    const dataStart = this.#sink.position;
    const hasher = this.#kernels.hasher("crc32");
    const crc32 = await this.#copy(chunks, hasher);
    const byteLength = this.#sink.position - dataStart;
    if (byteLength > 0) await this.#sink.write(descriptor(crc32, byteLength, headerStart));
    this.#written.push({ name: encoded, crc32, byteLength, headerStart, flags: FLAGS });
  }

  async #copy(chunks: AsyncIterable<Bytes> | Iterable<Bytes>, hasher: Hasher): Promise<number> {
    try {
      for await (const bytes of chunks) {
        hasher.update(bytes);
        await this.#sink.write(bytes);
      }
      return Number.parseInt(hasher.hexDigest(), 16);
    } finally {
      hasher.free();
    }
  }

  /** Writes the central directory and the end records. */
  async finish(): Promise<void> {
    const directoryStart = this.#sink.position;
    const entries = this.#written.map(centralEntry);
    // Many at a time: there may be tens of thousands of them.
    for (let first = 0; first < entries.length; first += ENTRIES_AT_ONCE) {
      await this.#sink.write(joined(entries.slice(first, first + ENTRIES_AT_ONCE)));
    }
    await this.#sink.write(endRecords(this.#written.length, directoryStart, this.#sink.position));
  }
}

function localHeader(name: Uint8Array, headerStart: number): Uint8Array {
  const extraStart = headerStart + RECORD_BYTES.local + name.length;
  const padding = (DATA_ALIGNMENT - ((extraStart + 4) % DATA_ALIGNMENT)) % DATA_ALIGNMENT;
  const bytes = new Uint8Array(RECORD_BYTES.local + name.length + 4 + padding);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE.local, true);
  view.setUint16(4, VERSION_ZIP64, true);
  view.setUint16(6, FLAGS, true);
  view.setUint16(12, DOS_DATE, true);
  view.setUint16(26, name.length, true);
  view.setUint16(28, 4 + padding, true);
  bytes.set(name, RECORD_BYTES.local);
  const extra = RECORD_BYTES.local + name.length;
  view.setUint16(extra, EXTRA_TORCH_PADDING, true);
  view.setUint16(extra + 2, padding, true);
  bytes.fill(0x5a, extra + 4); // "Z", as torch pads
  return bytes;
}

/** 16 bytes, or 24 when the member is over 4 GiB or lies beyond. */
function descriptor(crc32: number, byteLength: number, headerStart: number): Uint8Array {
  const wide = byteLength >= OVERFLOW_32 || headerStart >= OVERFLOW_32;
  const bytes = new Uint8Array(wide ? 24 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE.descriptor, true);
  view.setUint32(4, crc32, true);
  if (wide) {
    view.setBigUint64(8, BigInt(byteLength), true);
    view.setBigUint64(16, BigInt(byteLength), true);
  } else {
    view.setUint32(8, byteLength, true);
    view.setUint32(12, byteLength, true);
  }
  return bytes;
}
