import { type ByteSink, type Bytes, CheckpointSourceError } from "@ckptkit/core";
import { fileSystemError } from "../files/file-system-errors.js";

/** A place that takes bytes in order, which {@link bufferedSink} makes a sink of. Each call is awaited before the next. */
export interface WriteTarget {
  /** Appends bytes of memory that is not shared; is done with them when the promise resolves. */
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes everything visible. */
  finish(): Promise<void>;
  /** Leaves nothing. Never rejects. */
  discard(): Promise<void>;
}

/** Bytes of one write to the file system: each costs a message to another process, whatever its size. */
const BUFFER_BYTES = 1024 * 1024;

/** A sink over a target: keeps the order of writes, gathers small ones, and puts failures into words. */
export function bufferedSink(name: string, target: WriteTarget): ByteSink {
  let buffer: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  let position = 0;
  let state: "open" | "committed" | "aborted" = "open";
  let failure: unknown;
  let committing: Promise<void> | undefined;
  /** The last of the writes, which run one after the other. */
  let tail: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    if (!buffer || filled === 0) return;
    await target.append(buffer.subarray(0, filled));
    filled = 0;
  };
  const append = async (bytes: Bytes): Promise<void> => {
    if (failure) throw failure;
    try {
      for (let at = 0; at < bytes.length; ) {
        const rest = bytes.subarray(at);
        // Straight from the caller's memory where that may be: the file system takes no shared memory.
        if (filled === 0 && rest.length >= BUFFER_BYTES && isUnshared(rest)) {
          await target.append(rest);
          at = bytes.length;
          continue;
        }
        buffer ??= new Uint8Array(BUFFER_BYTES);
        const some = rest.subarray(0, BUFFER_BYTES - filled);
        buffer.set(some, filled);
        filled += some.length;
        at += some.length;
        if (filled === BUFFER_BYTES) await flush();
      }
      position += bytes.length;
    } catch (error) {
      failure = fileSystemError(error, name, "written");
      throw failure;
    }
  };
  const finish = async (): Promise<void> => {
    try {
      await tail;
      if (failure) throw failure;
      await flush();
      await target.finish();
    } catch (error) {
      state = "aborted";
      await target.discard();
      throw fileSystemError(error, name, "written");
    } finally {
      buffer = undefined;
    }
  };

  return {
    name,
    get position() {
      return position;
    },
    async write(bytes) {
      if (state !== "open") throw misused(name, "written to", state);
      const turn = tail.then(() => append(bytes));
      tail = turn.catch(() => undefined);
      await turn;
    },
    async commit() {
      if (state === "aborted") throw misused(name, "committed", state);
      state = "committed";
      committing ??= finish();
      await committing;
    },
    async abort() {
      if (state !== "open") return;
      state = "aborted";
      await tail;
      buffer = undefined;
      await target.discard();
    },
  };
}

const isUnshared = (bytes: Bytes): bytes is Uint8Array<ArrayBuffer> =>
  typeof SharedArrayBuffer === "undefined" || !(bytes.buffer instanceof SharedArrayBuffer);

const misused = (name: string, what: string, state: string): CheckpointSourceError =>
  new CheckpointSourceError("WRITE_FAILED", `${name} was ${what} after it had been ${state}.`, { details: { name } });
