import { CheckpointSourceError } from "./errors.js";
import type { SignalOptions } from "./progress.js";

/** Bytes in this thread's own memory or in memory shared with others. */
export type Bytes = Uint8Array;

/**
 * A file-like thing whose byte ranges can be read in any order. Ranges are [start, end). A read gives exactly the bytes
 * that were asked for or throws: never fewer, never padding. Sources hold no position, so reads may run side by side.
 */
export interface ByteSource {
  /** Size in bytes, an exact integer. */
  readonly size: number;
  /** A name for people: a path or an address without credentials. */
  readonly name: string;
  /** Which version of the file is read, where the place that it comes from tells. */
  readonly version?: SourceVersion | undefined;
  /** The address of this very version, where it is another than the one that was opened; files beside it are found there. No credentials. */
  readonly address?: string | undefined;
  /**
   * Reads [start, end) into memory of its own.
   *
   * @throws {CheckpointSourceError} OUT_OF_RANGE, READ_FAILED, SOURCE_CHANGED, SOURCE_CLOSED, TIMEOUT ...
   */
  read(start: number, end: number, options?: SignalOptions): Promise<Bytes>;
  /** Fills all of `target` with the bytes from `start` on: the way straight into WebAssembly memory. */
  readInto?(target: Bytes, start: number, options?: SignalOptions): Promise<void>;
  /** The same as `read` without waiting, where the place that bytes come from can do that: files of this machine, memory. */
  readSync?(start: number, end: number): Bytes;
  /** What a worker needs to open the same source by itself: plain, cloneable data; undefined where that cannot be. */
  descriptor?(): SourceDescriptor | undefined;
  /**
   * Where these very bytes lie in another source: for parts of a source and for records that are stored as they are. Undefined when they are
   * made from others (inflated, say). A source without it stands for itself.
   */
  locate?(options?: SignalOptions): Promise<SourceLocation | undefined>;
  close?(): Promise<void>;
}

/** A run of bytes within a source that is no part of another. */
export interface SourceLocation {
  readonly source: ByteSource;
  /** Where the run begins, in bytes. */
  readonly start: number;
}

/** Plain data from which an adapter can open a source again in another thread. */
export type SourceDescriptor = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** What tells one version of a file from another. Nothing of it is secret. */
export interface SourceVersion {
  /** Entity tag of an HTTP answer. */
  readonly etag?: string | undefined;
  /** Time of the last change as the server gave it, an HTTP date. */
  readonly lastModified?: string | undefined;
  /** Commit of a repository, or version of a registered model. */
  readonly revision?: string | undefined;
  /** Version of an object in a bucket that keeps versions. */
  readonly versionId?: string | undefined;
}

/** Throws unless [start, end) lies within the source. Every implementation calls it first. */
export function checkRange(source: ByteSource, start: number, end: number): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= source.size) return;
  throw new CheckpointSourceError(
    "OUT_OF_RANGE",
    `Bytes [${start}, ${end}) of ${source.name} were asked for, but it has ${source.size} bytes.`,
    {
      details: { name: source.name, start, end, size: source.size },
      suggestions: ["Fetch the file again, or compare its size with the original's."],
    },
  );
}

/** Where the bytes of a source really lie: see {@link ByteSource.locate}. */
export async function locate(source: ByteSource, options?: SignalOptions): Promise<SourceLocation | undefined> {
  return source.locate ? source.locate(options) : { source, start: 0 };
}

/** Fills `target` from any source, through `readInto` where the source has it. */
export async function readInto(source: ByteSource, target: Bytes, start: number, options?: SignalOptions): Promise<void> {
  if (source.readInto) return source.readInto(target, start, options);
  target.set(await source.read(start, start + target.length, options));
}
