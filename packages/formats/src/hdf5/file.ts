import {
  type ByteSource,
  type Bytes,
  checkLimit,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
  sliceSource,
} from "@ckptkit/core";
import { lookup3 } from "./checksum.js";
import { hdf5Error } from "./errors.js";
import { type FieldSizes, Fields } from "./fields.js";
import { HDF5_MAGIC } from "./signature.js";

/** A read costs at least so much of the budget, so that a million tiny ones are bounded too. */
const LEAST_COST = 32;

/** What {@link Hdf5File} is made of. */
export interface Hdf5FileInit extends FieldSizes {
  readonly source: ByteSource;
  readonly limits: Limits;
  readonly options?: SignalOptions | undefined;
}

/** The structures of a file, read by their addresses, within the limit `headerBytes`. */
export class Hdf5File implements FieldSizes {
  readonly name: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly limits: Limits;
  /** The bytes that addresses count from. */
  readonly source: ByteSource;
  readonly options: SignalOptions | undefined;
  #cost = 0;

  constructor({ name, offsetBytes, lengthBytes, limits, source, options }: Hdf5FileInit) {
    this.name = name;
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
    this.limits = limits;
    this.source = source;
    this.options = options;
  }

  /** The same file with a budget of its own: for what is read when a tensor's bytes are asked for. */
  again(options?: SignalOptions): Hdf5File {
    const { name, offsetBytes, lengthBytes, limits, source } = this;
    return new Hdf5File({ name, offsetBytes, lengthBytes, limits, source, options });
  }

  /** Counts bytes that were read, or made of such. @throws {CheckpointLoadError} LIMIT_EXCEEDED */
  spend(bytes: number): void {
    this.#cost += Math.max(LEAST_COST, bytes);
    checkLimit(this.limits, "headerBytes", this.#cost, `Description of ${this.name}`);
  }

  /** Bytes of a structure. @throws {CheckpointLoadError} HDF5_CORRUPT when it is not within the file; LIMIT_EXCEEDED */
  *read(start: number, count: number, what: string): Reading<Bytes> {
    const { size } = this.source;
    if (start + count > size) {
      throw hdf5Error(this.name, `${what} should stand at [${start}, ${start + count}), but the file ends at ${size}`, {
        at: start,
        expected: count,
        found: Math.max(0, size - start),
      });
    }
    this.spend(count);
    return yield* readStep(this.source, start, start + count, this.options);
  }

  /** The same as fields. */
  *fields(start: number, count: number, what: string): Reading<Fields> {
    return new Fields(yield* this.read(start, count, what), this, what);
  }

  /** The same for a structure that ends with its checksum, which is not among the fields. @throws {CheckpointLoadError} HDF5_CORRUPT */
  *checked(start: number, count: number, what: string): Reading<Fields> {
    const fields = yield* this.fields(start, count, what);
    return this.verify(fields.bytes, what);
  }

  /** The fields of a structure that is in memory and ends with its checksum. @throws {CheckpointLoadError} HDF5_CORRUPT */
  verify(bytes: Bytes, what: string): Fields {
    const body = bytes.subarray(0, Math.max(0, bytes.length - 4));
    const stored = new Fields(bytes.subarray(body.length), this, what).u32();
    const found = lookup3(body);
    if (stored !== found) {
      const hex = (value: number): string => value.toString(16).padStart(8, "0");
      throw hdf5Error(this.name, `${what} is damaged: its checksum is ${hex(found)}, where ${hex(stored)} was recorded`);
    }
    return new Fields(body, this, what);
  }
}

/** A file whose superblock was read. */
export interface OpenedFile {
  readonly file: Hdf5File;
  /** Address of the root group's object header. */
  readonly root: number;
  /** Bytes that the file should have, those before the superblock included. */
  readonly declaredBytes: number;
}

/** Bytes of the longest superblock. */
const MOST_SUPERBLOCK_BYTES = 128;

/**
 * Reads the superblock: version 0 to 3.
 *
 * @param start where the signature stands; addresses count from there.
 * @throws {CheckpointLoadError} HDF5_CORRUPT
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (II. Disk Format: Level 0)
 */
export function* readSuperblock(source: ByteSource, start: number, limits: Limits, options?: SignalOptions): Reading<OpenedFile> {
  const within = start === 0 ? source : sliceSource(source, start, source.size);
  const bytes = yield* readStep(within, 0, Math.min(MOST_SUPERBLOCK_BYTES, within.size), options);
  const sizesUnknown = { name: source.name, offsetBytes: 8, lengthBytes: 8 };
  const first = new Fields(bytes, sizesUnknown, "its superblock");
  first.skip(HDF5_MAGIC.length);
  const version = first.version(0, 1, 2, 3);
  first.skip(version < 2 ? 4 : 0);
  const [offsetBytes, lengthBytes] = [first.u8(), first.u8()];
  if (![2, 4, 8].includes(offsetBytes) || ![2, 4, 8].includes(lengthBytes))
    throw first.bad(`gives addresses of ${offsetBytes} and lengths of ${lengthBytes} bytes`);
  const file = new Hdf5File({ name: source.name, offsetBytes, lengthBytes, limits, source: within, options });
  const fields = new Fields(bytes, file, first.what);
  fields.at = first.at;
  // Addresses count from where the superblock really stands, whatever base it gives; the end counts from byte 0.
  let base: number | undefined;
  let end: number | undefined;
  let root: number;
  if (version < 2) {
    fields.skip(version === 0 ? 9 : 13);
    base = fields.address();
    fields.address();
    end = fields.address();
    fields.address();
    fields.skip(offsetBytes); // the root's name
    root = fields.givenAddress();
  } else {
    fields.skip(1);
    base = fields.address();
    fields.address();
    end = fields.address();
    root = fields.givenAddress();
    file.verify(bytes.subarray(0, fields.at + 4), first.what);
  }
  return { file, root, declaredBytes: end === undefined ? source.size : end + start - (base ?? 0) };
}
