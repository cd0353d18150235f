import { type ByteSource, type Bytes, CheckpointSourceError, readInto, type SignalOptions } from "@ckptkit/core";

/** What goes wrong with a {@link faultySource}. Reads are counted from 0, in the order in which they are asked for. */
export interface Faults {
  /** The read, or reads, that reject. */
  failAt?: number | readonly number[] | undefined;
  /** What they reject with: READ_FAILED by default. */
  error?: Error | undefined;
  /** Reads that give fewer bytes than asked for, by `missing` (1 by default): what a broken source does. `readInto` leaves them unfilled. */
  shortReadAt?: number | readonly number[] | undefined;
  missing?: number | undefined;
  /** From this read on, every byte is another one (inverted), as in a file that was overwritten; nothing rejects. */
  changeAfter?: number | undefined;
  /** From this read on, nothing answers any more until the signal aborts, as on a dead connection. */
  hangAfter?: number | undefined;
}

/** A source with faults, and a count of what was asked of it. */
export interface FaultySource extends ByteSource {
  /** Reads asked for so far. */
  readonly reads: number;
  /** Whether `close` was called. */
  readonly closed: boolean;
}

/**
 * A source that fails where it is told to. Without faults it counts: run an operation once to learn how many reads it
 * makes, then once for each of them with that read failing.
 *
 * @example const source = faultySource(memorySource(bytes), { failAt: 3 });
 */
export function faultySource(inner: ByteSource, faults: Faults = {}): FaultySource {
  let reads = 0;
  let closed = false;

  /** Lets a fault happen; otherwise tells how the bytes of this read are to be treated. */
  async function next(start: number, end: number, options?: SignalOptions): Promise<{ missing: number; changed: boolean }> {
    const index = reads++;
    if (includes(faults.failAt, index)) throw faults.error ?? readFailed(inner.name, start, end, index);
    if (faults.hangAfter !== undefined && index >= faults.hangAfter) await untilAborted(options?.signal);
    const missing = includes(faults.shortReadAt, index) ? Math.min(end - start, faults.missing ?? 1) : 0;
    return { missing, changed: faults.changeAfter !== undefined && index >= faults.changeAfter };
  }

  return {
    size: inner.size,
    name: inner.name,
    get reads() {
      return reads;
    },
    get closed() {
      return closed;
    },
    async read(start, end, options) {
      const { missing, changed } = await next(start, end, options);
      const bytes = await inner.read(start, end, options);
      if (changed) invert(bytes);
      return missing > 0 ? bytes.subarray(0, bytes.length - missing) : bytes;
    },
    async readInto(target, start, options) {
      const { missing, changed } = await next(start, start + target.length, options);
      const filled = target.subarray(0, target.length - missing);
      await readInto(inner, filled, start, options);
      if (changed) invert(filled);
    },
    async close() {
      closed = true;
      await inner.close?.();
    },
  };
}

const includes = (places: number | readonly number[] | undefined, index: number): boolean =>
  typeof places === "number" ? places === index : (places?.includes(index) ?? false);

function readFailed(name: string, start: number, end: number, index: number): CheckpointSourceError {
  return new CheckpointSourceError("READ_FAILED", `Read ${index} of ${name}, [${start}, ${end}), was made to fail.`, {
    details: { name, start, end, read: index },
  });
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    else signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function invert(bytes: Bytes): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
}
