import { type Bytes, readInto } from "./byte-source.js";
import type { KernelPiece, KernelResult } from "./kernel-job.js";
import type { KernelBuffer, Kernels } from "./kernels.js";
import type { Pauser } from "./pauser.js";
import { type PieceWork, startWork } from "./piece-work.js";
import { type PlannedRead, planReads } from "./plan-reads.js";
import type { SignalOptions } from "./progress.js";
import { wholeDigests } from "./whole-digests.js";

/** Bytes of one read into the kernels' memory: of files in Node, say, where larger ones gain nothing. */
const READ_BYTES = 2 * 1024 * 1024;

/**
 * Bytes of one read of a source that gives memory of its own: Blobs, above all. Each takes a trip to another process: in Chromium on a busy
 * two-core machine, slices of 1, 2, 4, 8 and 16 MiB came at 0.18, 0.24, 0.25, 0.50 and 0.59 GB/s in a worker that had two on their way. One at a time
 * was as fast, FileReaderSync was not (0.38 at 8 MiB). `node bench/browser-scan.mjs --reads` measures it.
 */
export const OWN_READ_BYTES = 8 * 1024 * 1024;

/** How pieces are run. */
export interface RunPiecesOptions extends SignalOptions {
  pauser?: Pauser | undefined;
  /** Told of every so many bytes that are done. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** Bytes that have arrived, and what gives their buffer back. */
interface Loaded {
  readonly bytes: Bytes;
  readonly release: () => void;
}

/**
 * Runs the pieces of one job on this thread and gives their results in order. While the kernels work on one read, the next is on its way:
 * straight into the kernels' memory where the source can do that.
 *
 * @throws what the sources throw; the signal's reason when it is aborted
 * @throws {CheckpointError} LIMIT_EXCEEDED when the kernels' memory has no room for two reads
 */
export async function runPieces(
  pieces: readonly KernelPiece[],
  kernels: Kernels,
  { signal, pauser, onBytes }: RunPiecesOptions = {},
): Promise<KernelResult[]> {
  const results: KernelResult[] = [];
  const buffers = new BufferPool(kernels, Math.min(READ_BYTES, longest(pieces)));
  const reads = planReads(pieces, ({ readInto }) => (readInto ? READ_BYTES : OWN_READ_BYTES));
  const start = (): Promise<Loaded & { read: PlannedRead }> | undefined => {
    const { value: read } = reads.next();
    if (!read) return undefined;
    const loading = load(read, buffers, signal).then((loaded) => ({ ...loaded, read }));
    // It is waited for below, or given up for another failure: neither is an unhandled one.
    loading.catch(() => {});
    return loading;
  };
  let work: PieceWork | undefined;
  let next: ReturnType<typeof start>;
  try {
    next = start();
    while (next) {
      const { bytes, release, read } = await next;
      next = undefined;
      if (pauser?.paused) await pauser.wait({ signal });
      signal?.throwIfAborted();
      next = start();
      let done = 0;
      const digests = wholeDigests(read, bytes, pieces, kernels);
      for (const { piece, from, to, at, last } of read.runs) {
        done += to - from;
        const hashed = digests.get(piece);
        if (hashed) {
          results.push({ kind: "hash", digests: hashed });
          continue;
        }
        work ??= startWork((pieces[piece] as KernelPiece).work, kernels); // the plan names pieces that there are
        if (to > from) work.update(bytes.subarray(from, to), at);
        if (!last) continue;
        results.push(work.result());
        work.free();
        work = undefined;
      }
      release();
      if (done > 0) onBytes?.(done);
    }
    return results;
  } finally {
    work?.free();
    // A read that is still on its way writes into its buffer: that must not be given to another before.
    await next?.catch(() => {});
    buffers.free();
  }
}

/** Bytes of the longest stretch that one read may have to hold. */
function longest(pieces: readonly KernelPiece[]): number {
  return pieces.length > 1 ? READ_BYTES : Math.max(1, (pieces[0]?.end ?? 0) - (pieces[0]?.start ?? 0));
}

async function load(read: PlannedRead, buffers: BufferPool, signal: AbortSignal | undefined): Promise<Loaded> {
  const { source, start, end } = read;
  if (end === start) return { bytes: new Uint8Array(0), release: () => {} };
  if (!source.readInto) {
    // The kernels copy what is not theirs in pieces that stay in the processor's cache: cheaper than one copy of it all.
    const bytes = await source.read(start, end, { signal });
    return { bytes, release: () => {} };
  }
  const buffer = buffers.take();
  const bytes = buffer.bytes.subarray(0, end - start);
  await readInto(source, bytes, start, { signal });
  return { bytes, release: () => buffers.give(buffer) };
}

/** The buffers of one run: no more than are in use at a time. */
class BufferPool {
  readonly #kernels: Kernels;
  readonly #byteLength: number;
  readonly #all: KernelBuffer[] = [];
  readonly #idle: KernelBuffer[] = [];

  constructor(kernels: Kernels, byteLength: number) {
    this.#kernels = kernels;
    this.#byteLength = byteLength;
  }

  take(): KernelBuffer {
    const idle = this.#idle.pop();
    if (idle) return idle;
    const made = this.#kernels.allocate(this.#byteLength);
    this.#all.push(made);
    return made;
  }

  give(buffer: KernelBuffer): void {
    this.#idle.push(buffer);
  }

  free(): void {
    for (const buffer of this.#all) buffer.free();
  }
}
