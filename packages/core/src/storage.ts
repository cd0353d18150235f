import { type ByteSource, type Bytes, readInto } from "./byte-source.js";
import { CheckpointError, CheckpointIntegrityError } from "./errors.js";
import type { Hasher, KernelBuffer, Kernels } from "./kernels.js";
import type { SignalOptions } from "./progress.js";

/** What a reader tells of a storage. */
export interface StorageInit {
  /** Unique within the checkpoint. */
  id: string;
  /** The storage's bytes, decompressed, from 0 on. */
  bytes: ByteSource;
  /** Where the first byte lies in the file, when it is stored as it is: for plans in file order. */
  fileOffset?: number;
  /** Elements are big-endian in the file; tensors give them little-endian. */
  bigEndian?: boolean;
  /** CRC-32 (ISO-HDLC) of all bytes as the container recorded it; undefined when it recorded none. */
  crc32?: number;
}

/** A run of bytes that one or many tensors are views of. */
export class Storage {
  readonly id: string;
  readonly byteLength: number;
  readonly fileOffset: number | undefined;
  readonly bigEndian: boolean;
  readonly crc32: number | undefined;
  readonly #bytes: ByteSource;
  #watch: CrcWatch | undefined;

  constructor(init: StorageInit) {
    this.id = init.id;
    this.#bytes = init.bytes;
    this.byteLength = init.bytes.size;
    this.fileOffset = init.fileOffset;
    this.bigEndian = init.bigEndian ?? false;
    this.crc32 = init.crc32;
  }

  /** Fills `target` with the raw bytes from `start` on, in the file's byte order. */
  async readInto(target: Bytes, start: number, options?: SignalOptions): Promise<void> {
    await readInto(this.#bytes, target, start, options);
    this.#watch?.saw(start, target);
  }

  /**
   * From here on computes the CRC-32 from the bytes as they are read. Returns undefined when the container recorded none,
   * or when the storage is watched already.
   */
  watchCrc(kernels: Kernels): CrcWatch | undefined {
    if (this.crc32 === undefined || this.#watch) return undefined;
    this.#watch = new CrcWatch(this, this.crc32, kernels, () => {
      this.#watch = undefined;
    });
    return this.#watch;
  }
}

/** Follows the reads of one storage and checks its CRC-32 in the end. Bytes read in order are not read again. */
export class CrcWatch {
  readonly #storage: Storage;
  readonly #expected: number;
  readonly #kernels: Kernels;
  readonly #hasher: Hasher;
  readonly #release: () => void;
  #done = 0;
  #closed = false;

  constructor(storage: Storage, expected: number, kernels: Kernels, release: () => void) {
    this.#storage = storage;
    this.#expected = expected;
    this.#kernels = kernels;
    this.#hasher = kernels.hasher("crc32");
    this.#release = release;
  }

  /** Takes note of bytes that were read from `start` on. */
  saw(start: number, bytes: Bytes): void {
    const skip = this.#done - start;
    if (skip < 0 || skip >= bytes.length) return;
    this.#hasher.update(bytes.subarray(skip));
    this.#done += bytes.length - skip;
  }

  /**
   * Reads what has not gone by yet, and compares.
   *
   * @throws {CheckpointIntegrityError} CRC_MISMATCH
   */
  async finish(options?: SignalOptions): Promise<void> {
    if (this.#closed) throw new CheckpointError("INTERNAL", `The CRC-32 of "${this.#storage.id}" is not watched any more.`);
    let buffer: KernelBuffer | undefined;
    try {
      if (this.#done < this.#storage.byteLength) buffer = this.#kernels.allocate(1 << 18);
      while (buffer && this.#done < this.#storage.byteLength) {
        const take = Math.min(buffer.bytes.length, this.#storage.byteLength - this.#done);
        await this.#storage.readInto(buffer.bytes.subarray(0, take), this.#done, options);
        if (this.#closed) throw new CheckpointError("INTERNAL", `The check of "${this.#storage.id}" was cancelled while it ran.`);
      }
      const found = Number.parseInt(this.#hasher.hexDigest(), 16);
      if (found !== this.#expected) throw crcMismatch(this.#storage.id, this.#expected, found);
    } finally {
      buffer?.free();
      this.cancel();
    }
  }

  /** Stops watching without a verdict. */
  cancel(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#hasher.free();
    this.#release();
  }
}

/** The error for bytes that do not have the CRC-32 that was recorded for them. */
export function crcMismatch(record: string, expected: number, found: number): CheckpointIntegrityError {
  const hex = (value: number): string => value.toString(16).padStart(8, "0");
  return new CheckpointIntegrityError(
    "CRC_MISMATCH",
    `The bytes of "${record}" have the CRC-32 ${hex(found)}, but the container recorded ${hex(expected)}: they are damaged.`,
    {
      details: { record, expected: hex(expected), found: hex(found) },
      suggestions: [
        "Fetch the file again, or compare it with a copy.",
        "To read the damaged bytes all the same, turn the check off (--no-crc).",
      ],
    },
  );
}
