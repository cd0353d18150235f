import type { Bytes } from "./byte-source.js";
import { CheckpointSourceError } from "./errors.js";

/**
 * Where bytes go, one after another. Nothing is visible at the destination before `commit`; after `abort`, or when neither
 * was called, the destination is as it was.
 */
export interface ByteSink {
  /** A name for people, without credentials. */
  readonly name: string;
  /** Bytes written so far. */
  readonly position: number;
  /** Appends bytes. The sink is done with the array when the promise resolves, so that it can be filled again. */
  write(bytes: Bytes): Promise<void>;
  /**
   * Makes everything that was written visible, whole. Does nothing the second time.
   *
   * @throws {CheckpointSourceError} WRITE_FAILED, NO_SPACE; WRITE_FAILED also after `abort` or a failed `write`.
   */
  commit(): Promise<void>;
  /** Forgets everything that was written. Does nothing after a commit. */
  abort(): Promise<void>;
}

/** A sink whose result can be looked at in memory. */
export interface MemorySink extends ByteSink {
  /** The committed bytes; undefined before `commit`. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Collects bytes in memory: for tests and small files.
 *
 * @example const sink = memorySink(); await sink.write(bytes); await sink.commit(); sink.bytes
 */
export function memorySink(name = "memory"): MemorySink {
  let parts: Uint8Array[] = [];
  let position = 0;
  let result: Uint8Array | undefined;
  let state: "open" | "committed" | "aborted" = "open";
  return {
    name,
    get position() {
      return position;
    },
    get bytes() {
      return result;
    },
    async write(bytes) {
      if (state !== "open") throw new CheckpointSourceError("WRITE_FAILED", `${name} was written to after it had been ${state}.`);
      parts.push(bytes.slice());
      position += bytes.length;
    },
    async commit() {
      if (state === "aborted") throw new CheckpointSourceError("WRITE_FAILED", `${name} was committed after it had been aborted.`);
      if (state === "committed") return;
      state = "committed";
      result = new Uint8Array(position);
      let at = 0;
      for (const part of parts) {
        result.set(part, at);
        at += part.length;
      }
      parts = [];
    },
    async abort() {
      if (state === "open") state = "aborted";
      parts = [];
    },
  };
}
