import { type ByteSource, type Bytes, checkRange, readInto } from "./byte-source.js";
import { checkOption } from "./check-option.js";
import type { SignalOptions } from "./progress.js";
import { SharedRead } from "./shared-read.js";
import { wrapSource } from "./wrap-source.js";

/** Which reads are merged. */
export interface CoalesceOptions {
  /** Unwanted bytes between two reads that are read along rather than asked for around (64 KiB). */
  gapBytes?: number;
  /** Longest merged read (8 MiB): also the memory that merging takes. Reads of this size and over go straight through. */
  maxBytes?: number;
}

/** A read that waits to be merged with others. */
interface Pending {
  readonly start: number;
  readonly end: number;
  readonly signal: AbortSignal | undefined;
  /** Reads by itself. */
  alone(): void;
  /** Takes its bytes from a merged read that starts at `from`. */
  together(read: SharedRead<Bytes>, from: number): void;
  reject(reason: unknown): void;
}

/**
 * Merges reads that are issued together (before the first of them has been awaited) and lie near each other into one, which saves
 * round trips. Each caller gets its own bytes only; one that aborts does not fail the others.
 *
 * @example
 * const source = coalesceSource(await httpSource(url));
 * await Promise.all([source.read(0, 30), source.read(100, 130)]); // one request
 */
export function coalesceSource(inner: ByteSource, options: CoalesceOptions = {}): ByteSource {
  const { gapBytes = 64 * 1024, maxBytes = 8 * 1024 * 1024 } = options;
  checkOption("gapBytes", gapBytes, 0);
  checkOption("maxBytes", maxBytes, 1);
  let queue: Pending[] = [];

  const flush = (): void => {
    const batch = queue;
    queue = [];
    const live = batch.filter(({ signal, reject }) => {
      if (signal?.aborted) reject(signal.reason);
      return !signal?.aborted;
    });
    for (const { start, end, reads } of groupReads(live, gapBytes, maxBytes)) {
      if (reads.length === 1) {
        reads[0]?.alone();
        continue;
      }
      const shared = new SharedRead((signal) => inner.read(start, end, { signal }));
      for (const read of reads) read.together(shared, start);
    }
  };

  const enqueue = <T>(
    start: number,
    end: number,
    { signal }: SignalOptions,
    alone: () => Promise<T>,
    take: (bytes: Bytes) => T,
  ): Promise<T> => {
    signal?.throwIfAborted();
    checkRange(inner, start, end);
    if (end - start >= maxBytes || end === start) return alone();
    return new Promise<T>((resolve, reject) => {
      if (queue.length === 0) queueMicrotask(flush);
      queue.push({
        start,
        end,
        signal,
        alone: () => alone().then(resolve, reject),
        together: (read, from) =>
          read
            .wait(signal)
            .then((bytes) => take(bytes.subarray(start - from, end - from)))
            .then(resolve, reject),
        reject,
      });
    });
  };

  return wrapSource(inner, {
    async read(start, end, options = {}) {
      return enqueue(
        start,
        end,
        options,
        async () => inner.read(start, end, options),
        (bytes) => bytes.slice(),
      );
    },
    async readInto(target, start, options = {}) {
      return enqueue(
        start,
        start + target.length,
        options,
        async () => readInto(inner, target, start, options),
        (bytes) => target.set(bytes),
      );
    },
  });
}

/** Reads that are done as one, [start, end). */
interface Group {
  readonly start: number;
  end: number;
  readonly reads: Pending[];
}

/** Puts reads into groups: within each, the gaps and the whole are within the bounds. */
function groupReads(reads: Pending[], gapBytes: number, maxBytes: number): Group[] {
  const groups: Group[] = [];
  let group: Group | undefined;
  for (const read of reads.sort((a, b) => a.start - b.start)) {
    const end = Math.max(group?.end ?? 0, read.end);
    if (group && read.start - group.end <= gapBytes && end - group.start <= maxBytes) {
      group.reads.push(read);
      group.end = end;
    } else {
      group = { start: read.start, end: read.end, reads: [read] };
      groups.push(group);
    }
  }
  return groups;
}
