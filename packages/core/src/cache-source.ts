import { type ByteSource, type Bytes, checkRange, readInto } from "./byte-source.js";
import { checkOption } from "./check-option.js";
import { CheckpointConfigError, CheckpointSourceError } from "./errors.js";
import type { SignalOptions } from "./progress.js";
import { SharedRead } from "./shared-read.js";
import { wrapSource } from "./wrap-source.js";

/** How much a cache reads at a time and keeps. */
export interface CacheOptions {
  /** Bytes that are fetched around a small read (64 KiB). Reads of this size and over go straight through. */
  blockBytes?: number;
  /** Bytes that are kept (16 MiB); the blocks that were not used for longest make room. */
  maxBytes?: number;
}

/** A source that keeps what was read lately. */
export interface CacheSource extends ByteSource {
  /**
   * Reads [start, end) in as few reads as possible and keeps it, as far as the cache can hold it: the head or the tail of a file,
   * before its records are read one by one. Waits for the bytes.
   */
  prefetch(start: number, end: number, options?: SignalOptions): Promise<void>;
}

/** Bytes of the source from `start` on. */
interface Piece {
  readonly start: number;
  readonly bytes: Bytes;
}

/**
 * Serves small reads from blocks that are kept in bounded memory. Readers that need the same block share one read of it; a
 * reader that aborts does not disturb the others; a failed read is forgotten, so that the next one tries again.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when not even one block fits into `maxBytes`.
 * @example
 * const source = cacheSource(await httpSource(url), { maxBytes: 4 << 20 });
 * await source.prefetch(source.size - 65_536, source.size);
 */
export function cacheSource(inner: ByteSource, options: CacheOptions = {}): CacheSource {
  const { blockBytes = 64 * 1024, maxBytes = 16 * 1024 * 1024 } = options;
  checkOption("blockBytes", blockBytes, 1);
  checkOption("maxBytes", maxBytes, 1);
  if (maxBytes < blockBytes) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `A cache of ${maxBytes} bytes cannot hold one block of ${blockBytes}.`, {
      details: { maxBytes, blockBytes },
    });
  }
  /** Kept blocks by number, the one that was not used for longest first. */
  const blocks = new Map<number, Bytes>();
  const loading = new Map<number, SharedRead<Piece>>();
  let keptBytes = 0;
  let closed = false;

  const keep = (index: number, bytes: Bytes): void => {
    if (closed) return;
    keptBytes += bytes.length - (blocks.get(index)?.length ?? 0);
    blocks.delete(index);
    blocks.set(index, bytes);
    for (const [oldest, { length }] of blocks) {
      if (keptBytes <= maxBytes) break;
      blocks.delete(oldest);
      keptBytes -= length;
    }
  };

  const loadOf = (index: number): SharedRead<Piece> | undefined => {
    const read = loading.get(index);
    return read?.abandoned ? undefined : read;
  };

  /** Starts one read of the blocks [first, end). */
  const load = (first: number, end: number): SharedRead<Piece> => {
    const start = first * blockBytes;
    const shared = new SharedRead<Piece>(async (signal) => {
      try {
        const bytes = await inner.read(start, Math.min(end * blockBytes, inner.size), { signal });
        for (let index = first; index < end; index++) {
          const at = (index - first) * blockBytes;
          // A block of its own, so that memory is really given back when the block is dropped.
          keep(index, end - first === 1 ? bytes : bytes.slice(at, at + blockBytes));
        }
        return { start, bytes };
      } finally {
        for (let index = first; index < end; index++) if (loading.get(index) === shared) loading.delete(index);
      }
    });
    for (let index = first; index < end; index++) loading.set(index, shared);
    return shared;
  };

  /** Everything that covers the blocks [first, end): kept, on its way, or asked for now. */
  const collect = (first: number, end: number, signal: AbortSignal | undefined): Promise<Piece[]> => {
    const pieces: (Piece | Promise<Piece>)[] = [];
    const waiting = new Set<SharedRead<Piece>>();
    for (let index = first; index < end; ) {
      const bytes = blocks.get(index);
      if (bytes) {
        blocks.delete(index);
        blocks.set(index, bytes);
        pieces.push({ start: index * blockBytes, bytes });
        index++;
        continue;
      }
      let read = loadOf(index);
      let next = index + 1;
      if (!read) {
        while (next < end && !blocks.has(next) && !loadOf(next)) next++;
        read = load(index, next);
      }
      if (!waiting.has(read)) pieces.push(read.wait(signal));
      waiting.add(read);
      index = next;
    }
    return Promise.all(pieces);
  };

  const isOpen = (): void => {
    if (closed) throw new CheckpointSourceError("SOURCE_CLOSED", `${inner.name} was read after it had been closed.`);
  };

  /** Fills `target` with [start, end) through the cache. Writes nothing before everything has arrived. */
  const fill = async (target: Bytes, start: number, end: number, signal: AbortSignal | undefined): Promise<void> => {
    const pieces = await collect(Math.floor(start / blockBytes), Math.ceil(end / blockBytes), signal);
    for (const piece of pieces) {
      const from = Math.max(start, piece.start);
      const to = Math.min(end, piece.start + piece.bytes.length);
      target.set(piece.bytes.subarray(from - piece.start, to - piece.start), from - start);
    }
  };

  /** Whether a read goes straight through: it is a large one, and not all of it is here already. */
  const passes = (start: number, end: number): boolean => {
    if (end - start < blockBytes) return false;
    for (let index = Math.floor(start / blockBytes); index * blockBytes < end; index++) {
      if (!blocks.has(index) && !loadOf(index)) return true;
    }
    return false;
  };

  const check = (start: number, end: number, signal: AbortSignal | undefined): void => {
    signal?.throwIfAborted();
    isOpen();
    checkRange(inner, start, end);
  };

  return {
    ...wrapSource(inner, {
      async read(start, end, { signal } = {}) {
        check(start, end, signal);
        if (passes(start, end)) return inner.read(start, end, { signal });
        const target = new Uint8Array(end - start);
        if (end > start) await fill(target, start, end, signal);
        return target;
      },
      async readInto(target, start, { signal } = {}) {
        const end = start + target.length;
        check(start, end, signal);
        if (passes(start, end)) await readInto(inner, target, start, { signal });
        else if (end > start) await fill(target, start, end, signal);
      },
    }),
    async prefetch(start, end, { signal } = {}) {
      check(start, end, signal);
      if (end === start) return;
      const first = Math.floor(start / blockBytes);
      await collect(first, Math.min(Math.ceil(end / blockBytes), first + Math.floor(maxBytes / blockBytes)), signal);
    },
    async close() {
      closed = true;
      blocks.clear();
      keptBytes = 0;
      await inner.close?.();
    },
  };
}
