import { type ByteSource, type Bytes, checkRange, readInto, type SignalOptions } from "@ckptkit/core";
import type { Extent } from "./block-store.js";

/** What is kept of one file, and how. */
export interface KeptExtents {
  /** What was kept when it was opened. */
  readonly extents: readonly Extent[];
  /** Bytes of this file that may be kept. */
  readonly maxBytes: number;
  read(extent: Extent, from: number, to: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps bytes in the background; resolves to whether it could. Never rejects. */
  write(start: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean>;
}

/** Reads begin and end at multiples of this: that of the first request, so that what it brought is used. */
const BLOCK_BYTES = 64 * 1024;
/** Bytes that may wait to be written: a disk that is slower than the network does not make memory grow. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;

/** A part of a read: kept already, or to be fetched. */
interface Segment extends Extent {
  readonly kept: Extent | undefined;
}

/** A source that serves what is kept, and keeps what it fetches as long as there is room for this file. */
export function cachedSource(inner: ByteSource, kept: KeptExtents): ByteSource {
  /** Disjoint or not, in no order: a file has few. */
  const extents = [...kept.extents];
  let room = kept.maxBytes - extents.reduce((sum, { start, end }) => sum + end - start, 0);
  let pending = 0;

  const keep = (start: number, bytes: Uint8Array<ArrayBuffer>): void => {
    if (bytes.length > room || pending + bytes.length > MAX_PENDING_BYTES) return;
    room -= bytes.length;
    pending += bytes.length;
    kept
      .write(start, bytes)
      .then((done) => {
        if (done) extents.push({ start, end: start + bytes.length });
      })
      .finally(() => {
        pending -= bytes.length;
      });
  };

  /** Fetches [start, end) for `target`, which begins at `origin`; more than that, in whole blocks, if it will be kept. */
  const fetchInto = async (target: Bytes, origin: number, { start, end }: Extent, options?: SignalOptions): Promise<void> => {
    const from = start - (start % BLOCK_BYTES);
    const to = Math.min(inner.size, Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES);
    if (to - from > room || pending + to - from > MAX_PENDING_BYTES) {
      return readInto(inner, target.subarray(start - origin, end - origin), start, options);
    }
    const bytes = new Uint8Array(to - from);
    await readInto(inner, bytes, from, options);
    target.set(bytes.subarray(start - from, end - from), start - origin);
    keep(from, bytes);
  };

  const fill = async (target: Bytes, origin: number, options?: SignalOptions): Promise<void> => {
    const segments = split(origin, origin + target.length, extents);
    await Promise.all(
      segments.map(async (segment) => {
        const { start, end, kept: extent } = segment;
        const bytes = extent && (await kept.read(extent, start, end));
        if (bytes?.length === end - start) return target.set(bytes, start - origin);
        // Gone meanwhile: another tab made room.
        const gone = extent ? extents.indexOf(extent) : -1;
        if (gone >= 0) extents.splice(gone, 1);
        await fetchInto(target, origin, segment, options);
      }),
    );
    options?.signal?.throwIfAborted();
  };

  const source: ByteSource = {
    ...inner,
    async read(start, end, options) {
      options?.signal?.throwIfAborted();
      checkRange(inner, start, end);
      const target = new Uint8Array(end - start);
      if (end > start) await fill(target, start, options);
      return target;
    },
    async readInto(target, start, options) {
      options?.signal?.throwIfAborted();
      checkRange(inner, start, start + target.length);
      if (target.length > 0) await fill(target, start, options);
    },
  };
  return source;
}

/** Cuts [start, end) where kept extents begin and end. */
function split(start: number, end: number, extents: readonly Extent[]): Segment[] {
  const segments: Segment[] = [];
  for (let at = start; at < end; ) {
    // The extent that reaches furthest from here; else the next that begins.
    let here: Extent | undefined;
    let next = end;
    for (const extent of extents) {
      if (extent.start <= at && extent.end > at && extent.end > (here?.end ?? 0)) here = extent;
      else if (extent.start > at) next = Math.min(next, extent.start);
    }
    const to = Math.min(end, here?.end ?? next);
    segments.push({ start: at, end: to, kept: here });
    at = to;
  }
  return segments;
}
