import {
  type ByteSource,
  type Bytes,
  checkLimit,
  checkRange,
  type Limits,
  locate,
  readInto,
  type SignalOptions,
  type SourceLocation,
  type Step,
  sliceSource,
  step,
} from "@ckptkit/core";
import type { ZipEntry } from "./directory.js";
import { inflateSource } from "./inflate-source.js";
import { checkLocalHeader, localHeaderEnd } from "./local-header.js";
import { METHOD, zipError } from "./records.js";

/**
 * The bytes of one member, inflated when it is deflated. Nothing is read until they are asked for; then the local header is
 * read first, for only it tells where the data begins, and compared with the directory.
 *
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED when the declared size is more than DEFLATE can make of the compressed bytes
 */
export function memberSource(archive: ByteSource, entry: ZipEntry, limits: Limits): ByteSource {
  checkInflateRatio(archive.name, entry, limits);
  return new MemberSource(archive, entry, limits);
}

/** All bytes of a member of an archive that is in memory. Inflating can only be waited for. */
export function readMember(
  archive: ByteSource,
  entry: ZipEntry,
  limits: Limits,
  options?: SignalOptions,
): Generator<Step<unknown>, Bytes, unknown> {
  const { readSync } = archive;
  return step({
    what: `inflating ${entry.name} of ${archive.name}`,
    wait: () => memberSource(archive, entry, limits).read(0, entry.byteLength, options),
    now:
      readSync && entry.method === METHOD.stored
        ? () => {
            const header = readSync.call(archive, entry.headerStart, headerEndOf(archive, entry));
            const start = checkLocalHeader(header, entry, archive.name);
            return readSync.call(archive, start, start + entry.byteLength);
          }
        : undefined,
  });
}

/** @throws {CheckpointLoadError} ZIP_CORRUPT when the local header reaches beyond the member's place */
function headerEndOf(archive: ByteSource, entry: ZipEntry): number {
  const headerEnd = localHeaderEnd(entry);
  if (headerEnd > entry.limit) throw zipError(archive.name, `the header of ${JSON.stringify(entry.name)} is cut off`);
  return headerEnd;
}

/** A class, so that one costs little: archives have tens of thousands of members. */
class MemberSource implements ByteSource {
  readonly #archive: ByteSource;
  readonly #entry: ZipEntry;
  readonly #limits: Limits;
  #opened: ByteSource | undefined;

  constructor(archive: ByteSource, entry: ZipEntry, limits: Limits) {
    this.#archive = archive;
    this.#entry = entry;
    this.#limits = limits;
  }

  get size(): number {
    return this.#entry.byteLength;
  }

  get name(): string {
    return `${this.#archive.name}#${this.#entry.name}`;
  }

  async read(start: number, end: number, options?: SignalOptions): Promise<Bytes> {
    checkRange(this, start, end);
    return (await this.#open(options)).read(start, end, options);
  }

  async readInto(target: Bytes, start: number, options?: SignalOptions): Promise<void> {
    checkRange(this, start, start + target.length);
    await readInto(await this.#open(options), target, start, options);
  }

  async locate(options?: SignalOptions): Promise<SourceLocation | undefined> {
    const opened = await this.#open(options);
    return this.#entry.method === METHOD.stored ? locate(opened, options) : undefined;
  }

  async #open(options?: SignalOptions): Promise<ByteSource> {
    if (this.#opened) return this.#opened;
    const archive = this.#archive;
    const entry = this.#entry;
    const headerEnd = headerEndOf(archive, entry);
    const start = checkLocalHeader(await archive.read(entry.headerStart, headerEnd, options), entry, archive.name);
    const stored = sliceSource(archive, start, start + entry.compressedBytes, this.name);
    // Callers that came at the same time have read the header each, with a signal of their own; they share what the first made.
    this.#opened ??= entry.method === METHOD.stored ? stored : inflateSource(stored, entry.byteLength, this.#limits);
    return this.#opened;
  }
}

/** DEFLATE has a largest ratio: a declared size beyond it is a lie, found before anything is inflated. */
function checkInflateRatio(archive: string, { name, method, byteLength, compressedBytes }: ZipEntry, limits: Limits): void {
  if (method !== METHOD.deflated) return;
  checkLimit(limits, "inflateRatio", Math.floor(byteLength / Math.max(1, compressedBytes)), `Inflation of ${name} in ${archive}`);
}
