import { type ByteSource, type Bytes, checkLimit, checkRange, type Limits, type SignalOptions } from "@ckptkit/core";
import { zipError } from "./records.js";

/** Compressed bytes fed to the decompressor at a time. */
const FEED_BYTES = 256 * 1024;

/**
 * The inflated bytes of a raw DEFLATE stream. Reads in order stream through it in constant memory; the first read that goes
 * back makes it inflate all, once, into memory, within the limit `inflatedBytes`.
 */
export function inflateSource(compressed: ByteSource, byteLength: number, limits: Limits): ByteSource {
  let stream: InflateStream | undefined;
  let whole: Promise<Uint8Array> | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const fill = async (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    options?.signal?.throwIfAborted();
    if (whole) {
      target.set((await whole).subarray(start, start + target.length));
      return;
    }
    if (stream && start < stream.position) {
      await stream.cancel();
      stream = undefined;
      checkLimit(limits, "inflatedBytes", byteLength, `Reading ${compressed.name} out of order`);
      whole = inflateAll(compressed, byteLength);
      return fill(target, start, options);
    }
    stream ??= new InflateStream(compressed, byteLength);
    try {
      await stream.skipTo(start);
      await stream.fill(target);
    } catch (error) {
      stream = undefined;
      throw error;
    }
  };

  const source: ByteSource = {
    size: byteLength,
    name: compressed.name,
    async read(start, end, options) {
      checkRange(source, start, end);
      const bytes = new Uint8Array(end - start);
      await source.readInto?.(bytes, start, options);
      return bytes;
    },
    readInto(target, start, options) {
      checkRange(source, start, start + target.length);
      const run = turn.then(() => fill(target, start, options));
      turn = run.catch(() => undefined); // the next read waits for this one, and does not share its fate
      return run;
    },
  };
  return source;
}

async function inflateAll(compressed: ByteSource, byteLength: number): Promise<Uint8Array> {
  const stream = new InflateStream(compressed, byteLength);
  const parts: Uint8Array[] = []; // grows with what really comes out, not with what was declared
  while (stream.position < byteLength) {
    const part = new Uint8Array(Math.min(1 << 20, byteLength - stream.position));
    await stream.fill(part);
    parts.push(part);
  }
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A decompressor that is read forwards. */
class InflateStream {
  /** Inflated bytes handed out so far. */
  position = 0;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #name: string;
  readonly #byteLength: number;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(compressed: ByteSource, byteLength: number) {
    this.#name = compressed.name;
    this.#byteLength = byteLength;
    let at = 0;
    const input = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        const end = Math.min(compressed.size, at + FEED_BYTES);
        // Copied, because the decompressor keeps what it gets for a while and refuses shared memory.
        if (end > at) controller.enqueue((await compressed.read(at, end)).slice());
        at = end;
        if (at >= compressed.size) controller.close();
      },
    });
    this.#reader = input.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  }

  async skipTo(start: number): Promise<void> {
    while (this.position < start) await this.#take(start - this.position);
  }

  async fill(target: Bytes): Promise<void> {
    let at = 0;
    while (at < target.length) {
      const piece = await this.#take(target.length - at);
      target.set(piece, at);
      at += piece.length;
    }
    if (this.position === this.#byteLength) await this.#expectEnd();
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined); // a stream that has failed already has nothing to stop
  }

  async #take(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#next();
      if (done) throw zipError(this.#name, `it inflates to ${this.position} bytes, but declares ${this.#byteLength}`);
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    this.position += piece.length;
    return piece;
  }

  async #expectEnd(): Promise<void> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#next();
      if (done) return;
      this.#rest = value;
    }
    throw zipError(this.#name, `it inflates to more than the ${this.#byteLength} bytes that it declares`);
  }

  async #next(): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      return await this.#reader.read();
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.name.startsWith("Checkpoint")) throw cause; // from the source below
      throw Object.assign(zipError(this.#name, "its compressed bytes cannot be inflated"), { cause });
    }
  }
}
