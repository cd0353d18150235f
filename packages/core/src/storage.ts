import { type ByteSource, type Bytes, locate, readInto, type SourceLocation } from "./byte-source.js";
import { CheckpointIntegrityError } from "./errors.js";
import type { SignalOptions } from "./progress.js";

/** A CRC that a container recorded of all bytes of a storage. */
export interface RecordedCrc {
  /** CRC-32 of zip (ISO-HDLC), or CRC-32C (Castagnoli). */
  readonly algorithm: "crc32" | "crc32c";
  /** An unsigned integer of 32 bits. */
  readonly value: number;
}

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
  /** CRC of all bytes as the container recorded it; undefined when it recorded none. */
  crc?: RecordedCrc | undefined;
}

/** A run of bytes that one or many tensors are views of. */
export class Storage {
  readonly id: string;
  readonly byteLength: number;
  readonly fileOffset: number | undefined;
  readonly bigEndian: boolean;
  readonly crc: RecordedCrc | undefined;
  readonly #bytes: ByteSource;
  #heard: ((start: number, bytes: Bytes) => void) | undefined;

  constructor(init: StorageInit) {
    this.id = init.id;
    this.#bytes = init.bytes;
    this.byteLength = init.bytes.size;
    this.fileOffset = init.fileOffset;
    this.bigEndian = init.bigEndian ?? false;
    this.crc = init.crc;
  }

  /** Fills `target` with the raw bytes from `start` on, in the file's byte order. */
  async readInto(target: Bytes, start: number, options?: SignalOptions): Promise<void> {
    await readInto(this.#bytes, target, start, options);
    this.#heard?.(start, target);
  }

  /** Where the raw bytes lie in the source that the file is read from; undefined when they are made from others, as inflated ones are. */
  locate(options?: SignalOptions): Promise<SourceLocation | undefined> {
    return locate(this.#bytes, options);
  }

  /**
   * From here on hands on what is read: `heard` gets where bytes begin, and the bytes. Returns how to stop it; undefined when another
   * listens already.
   */
  listen(heard: (start: number, bytes: Bytes) => void): (() => void) | undefined {
    if (this.#heard) return undefined;
    this.#heard = heard;
    return () => {
      this.#heard = undefined;
    };
  }
}

/** The error for bytes that do not have the CRC that was recorded for them. */
export function crcMismatch(
  record: string,
  expected: number,
  found: number,
  algorithm: RecordedCrc["algorithm"] = "crc32",
): CheckpointIntegrityError {
  const name = algorithm === "crc32" ? "CRC-32" : "CRC-32C";
  const hex = (value: number): string => value.toString(16).padStart(8, "0");
  return new CheckpointIntegrityError(
    "CRC_MISMATCH",
    `The bytes of "${record}" are damaged: ${name} ${hex(found)}, where ${hex(expected)} was recorded.`,
    {
      details: { record, expected: hex(expected), found: hex(found) },
      suggestions: [
        "Fetch the file again, or compare its size with the original's.",
        "To read them as they are, turn the check off (--no-crc).",
      ],
    },
  );
}
