import { type ByteSource, readInto } from "./byte-source.js";
import { wrapSource } from "./wrap-source.js";

/** What a {@link countSource} has passed on so far. */
export interface ReadCounts {
  /** Calls of `read` and `readInto`. */
  reads: number;
  /** Bytes that were asked for. */
  bytesRead: number;
}

/**
 * Counts what reaches the source: for tests of how much an operation reads, and for statistics.
 *
 * @example
 * const source = countSource(blobSource(file));
 * await openCheckpoint(source);
 * source.counts // { reads: 3, bytesRead: 66_000 }
 */
export function countSource(inner: ByteSource): ByteSource & { readonly counts: ReadCounts } {
  const counts: ReadCounts = { reads: 0, bytesRead: 0 };
  const add = (bytes: number): void => {
    counts.reads++;
    counts.bytesRead += bytes;
  };
  const source = wrapSource(inner, {
    async read(start, end, options) {
      add(end - start);
      return inner.read(start, end, options);
    },
    async readInto(target, start, options) {
      add(target.length);
      await readInto(inner, target, start, options);
    },
  });
  const { readSync } = source;
  if (!readSync) return { ...source, counts };
  return {
    ...source,
    readSync(start, end) {
      add(end - start);
      return readSync(start, end);
    },
    counts,
  };
}
