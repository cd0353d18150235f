import {
  type ByteSource,
  type Bytes,
  CheckpointError,
  crcMismatch,
  finish,
  type Hasher,
  type Kernels,
  type OperationOptions,
  type SignalOptions,
  withLimits,
} from "@ckptkit/core";
import { readDirectory, type ZipEntry } from "./directory.js";
import { checkLocalHeader } from "./local-header.js";
import { memberSource } from "./member-source.js";
import { METHOD, RECORD_BYTES, SIGNATURE, viewOf } from "./records.js";

/** Deflated members are inflated and checked in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;

/** A stored member whose bytes are going by. */
interface OpenMember {
  entry: ZipEntry;
  /** Where its data begins in the archive. */
  start: number;
  hasher: Hasher;
}

/**
 * Checks the CRC-32 of the members of an archive while all of its bytes go by in order for another reason, such as a hash of
 * the whole file.
 *
 * @example
 * const follower = await ZipCrcFollower.follow(source, kernels);
 * for (...) follower?.update(bytes); // all bytes, in order
 * await follower?.finish();
 */
export class ZipCrcFollower {
  readonly #source: ByteSource;
  readonly #kernels: Kernels;
  readonly #stored: ZipEntry[];
  readonly #deflated: ZipEntry[];
  #position = 0;
  #next = 0;
  #header = new Uint8Array(0);
  #open: OpenMember | undefined;

  private constructor(source: ByteSource, entries: readonly ZipEntry[], kernels: Kernels) {
    this.#source = source;
    this.#kernels = kernels;
    const checked = entries.filter(({ crc32, byteLength }) => crc32 !== 0 && byteLength > 0).sort((a, b) => a.headerStart - b.headerStart);
    this.#stored = checked.filter(({ method }) => method === METHOD.stored);
    this.#deflated = checked.filter(({ method }) => method === METHOD.deflated);
  }

  /** Undefined when the bytes are not those of a zip archive that can be read: there is nothing to check then. */
  static async follow(source: ByteSource, kernels: Kernels, options?: OperationOptions): Promise<ZipCrcFollower | undefined> {
    if (source.size < RECORD_BYTES.end || viewOf(await source.read(0, 4, options)).getUint32(0, true) !== SIGNATURE.local) return undefined;
    try {
      const { entries } = await finish(readDirectory(source, withLimits(), options));
      return new ZipCrcFollower(source, entries, kernels);
    } catch (error) {
      if (error instanceof CheckpointError && (error.code.startsWith("ZIP_") || error.code === "LIMIT_EXCEEDED")) return undefined;
      throw error;
    }
  }

  /**
   * Takes the next bytes of the archive.
   *
   * @throws {CheckpointIntegrityError} CRC_MISMATCH
   * @throws {CheckpointLoadError} ZIP_CORRUPT when a member's own header contradicts the directory
   */
  update(bytes: Bytes): void {
    let at = 0;
    while (at < bytes.length) at += this.#open ? this.#data(bytes.subarray(at), this.#open) : this.#seek(bytes.subarray(at));
  }

  /** Walks to the next member and reads its local header, which tells where its data begins. Gives the bytes used. */
  #seek(bytes: Bytes): number {
    const entry = this.#stored[this.#next];
    if (!entry) {
      this.#position += bytes.length;
      return bytes.length;
    }
    const headerBytes = RECORD_BYTES.local + entry.nameBytes;
    const skip = Math.min(bytes.length, entry.headerStart + this.#header.length - this.#position);
    const take = Math.min(bytes.length - skip, headerBytes - this.#header.length);
    const header = new Uint8Array(this.#header.length + take);
    header.set(this.#header);
    header.set(bytes.subarray(skip, skip + take), this.#header.length);
    this.#header = header;
    this.#position += skip + take;
    if (header.length === headerBytes) {
      const start = checkLocalHeader(header, entry, this.#source.name);
      this.#open = { entry, start, hasher: this.#kernels.hasher("crc32") };
      this.#header = new Uint8Array(0);
      this.#next++;
    }
    return skip + take;
  }

  /** Hashes the bytes of the open member. Gives the bytes used. */
  #data(bytes: Bytes, { entry, start, hasher }: OpenMember): number {
    const used = Math.min(bytes.length, start + entry.byteLength - this.#position);
    const skip = Math.min(used, Math.max(0, start - this.#position));
    hasher.update(bytes.subarray(skip, used));
    this.#position += used;
    if (this.#position >= start + entry.byteLength) {
      const found = Number.parseInt(hasher.hexDigest(), 16);
      this.cancel();
      if (found !== entry.crc32) throw crcMismatch(entry.name, entry.crc32, found);
    }
    return used;
  }

  /**
   * Checks what did not go by in the clear: inflates deflated members. All bytes must have gone by.
   *
   * @throws {CheckpointIntegrityError} CRC_MISMATCH
   */
  async finish(options?: SignalOptions): Promise<void> {
    if (this.#position !== this.#source.size) {
      throw new CheckpointError("INTERNAL", `Of the ${this.#source.size} bytes of ${this.#source.name}, ${this.#position} went by.`);
    }
    const limits = withLimits();
    for (const entry of this.#deflated) {
      const member = memberSource(this.#source, entry, limits);
      const hasher = this.#kernels.hasher("crc32");
      try {
        for (let at = 0; at < member.size; at += PIECE_BYTES) {
          hasher.update(await member.read(at, Math.min(member.size, at + PIECE_BYTES), options));
        }
        const found = Number.parseInt(hasher.hexDigest(), 16);
        if (found !== entry.crc32) throw crcMismatch(entry.name, entry.crc32, found);
      } finally {
        hasher.free();
      }
    }
  }

  /** Lets go of the member in work. */
  cancel(): void {
    this.#open?.hasher.free();
    this.#open = undefined;
  }
}
