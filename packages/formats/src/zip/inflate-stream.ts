import { type ByteSource, type Bytes, CheckpointError, type CheckpointLoadError, type SignalOptions } from "@ckptkit/core";
import { zipError } from "./records.js";

/** Compressed bytes read at a time. */
const READ_BYTES = 256 * 1024;
/**
 * Compressed bytes fed to the decompressor at a time. Chromium inflates all that it is fed at once, whether or not anyone
 * takes it; at DEFLATE's largest ratio, 1,032 to 1, this comes to 16 MiB.
 */
const FEED_BYTES = 16 * 1024;

/** A decompressor of a DEFLATE stream that is read forwards: a raw one, or (`deflate`) one that zlib wrapped. */
export class InflateStream {
  /** Inflated bytes handed out so far. */
  position = 0;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #name: string;
  readonly #byteLength: number;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param byteLength what the stream must inflate to, exactly */
  constructor(compressed: ByteSource, byteLength: number, form: "deflate-raw" | "deflate" | "gzip" = "deflate-raw") {
    this.#name = compressed.name;
    this.#byteLength = byteLength;
    this.#reader = feed(compressed).pipeThrough(new DecompressionStream(form)).getReader();
  }

  /** Inflates up to `start` and forgets it. */
  async skipTo(start: number, options?: SignalOptions): Promise<void> {
    while (this.position < start) await this.#take(start - this.position, options);
  }

  /**
   * Fills `target` with the next bytes. With the last of them, makes sure that the stream ends there.
   *
   * @throws {CheckpointLoadError} ZIP_CORRUPT
   */
  async fill(target: Bytes, options?: SignalOptions): Promise<void> {
    for (let at = 0; at < target.length; ) {
      const piece = await this.#take(target.length - at, options);
      target.set(piece, at);
      at += piece.length;
    }
    if (this.position === this.#byteLength && (await this.#more())) {
      throw zipError(this.#name, `it inflates to more than the declared ${this.#byteLength} bytes`);
    }
  }

  /** The next bytes, as many as are inflated; undefined behind the last, which may come before `byteLength`. */
  async next(options?: SignalOptions): Promise<Uint8Array | undefined> {
    options?.signal?.throwIfAborted();
    return (await this.#more()) ? this.#take(Number.POSITIVE_INFINITY, options) : undefined;
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined); // a stream that has failed already has nothing to stop
  }

  async #take(most: number, options?: SignalOptions): Promise<Uint8Array> {
    options?.signal?.throwIfAborted();
    if (!(await this.#more())) throw this.#tooShort();
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    this.position += piece.length;
    return piece;
  }

  #tooShort(): CheckpointLoadError {
    return zipError(this.#name, `it inflates to ${this.position} bytes, not ${this.#byteLength}`);
  }

  /** Whether there are bytes left; the next of them are in `#rest` then. */
  async #more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#next();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }

  async #next(): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      return await this.#reader.read();
    } catch (cause) {
      if (cause instanceof CheckpointError) throw cause; // from the source below
      throw Object.assign(zipError(this.#name, "its compressed bytes cannot be inflated"), { cause });
    }
  }
}

/** The bytes of a source as a stream of small pieces. */
function feed(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  let waiting: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  return new ReadableStream(
    {
      async pull(controller) {
        if (waiting.length === 0 && at < source.size) {
          const end = Math.min(source.size, at + READ_BYTES);
          // Copied, because the decompressor keeps what it gets for a while and refuses shared memory.
          waiting = (await source.read(at, end)).slice();
          at = end;
        }
        if (waiting.length > 0) controller.enqueue(waiting.subarray(0, FEED_BYTES));
        waiting = waiting.subarray(FEED_BYTES);
        if (waiting.length === 0 && at >= source.size) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
