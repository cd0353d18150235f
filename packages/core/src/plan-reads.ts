import type { ByteSource } from "./byte-source.js";
import type { KernelPiece } from "./kernel-job.js";

/**
 * Bytes between two pieces that are read along rather than left out. A zip record's header and padding have some hundred bytes; a read of its
 * own costs as much time as these bytes many times over.
 */
const GAP_BYTES = 16 * 1024;

/** One read, and the pieces that are served by it. */
export interface PlannedRead {
  readonly source: ByteSource;
  readonly start: number;
  readonly end: number;
  /** Runs of pieces, in order. [from, to) counts from the read's start. */
  readonly runs: readonly PlannedRun[];
}

/** What of a read belongs to one piece. */
export interface PlannedRun {
  /** Index of the piece. */
  readonly piece: number;
  readonly from: number;
  readonly to: number;
  /** Bytes of the piece before this run. */
  readonly at: number;
  /** Whether the piece ends here. */
  readonly last: boolean;
}

/**
 * Cuts pieces into reads of at most `maxBytesOf` their source, in their order. Neighbours are read together, whatever piece they belong to, so that
 * thousands of small tensors do not mean thousands of reads.
 */
export function* planReads(pieces: readonly KernelPiece[], maxBytesOf: (source: ByteSource) => number): Generator<PlannedRead, void, void> {
  let open: { source: ByteSource; start: number; end: number; runs: PlannedRun[] } | undefined;
  for (const [piece, { source, start, end }] of pieces.entries()) {
    const maxBytes = maxBytesOf(source);
    let at = start;
    do {
      const fits = open && open.source === source && at >= open.end && at - open.end <= GAP_BYTES && at - open.start < maxBytes;
      if (!open || !fits) {
        if (open) yield open;
        open = { source, start: at, end: at, runs: [] };
      }
      const to = Math.min(end, open.start + maxBytes);
      open.runs.push({ piece, from: at - open.start, to: to - open.start, at: at - start, last: to === end });
      open.end = to;
      at = to;
    } while (at < end);
  }
  if (open) yield open;
}
