import { type ByteSource, type Bytes, checkLimit, checkRange, type Limits, type SignalOptions } from "@ckptkit/core";
import { InflateStream } from "./inflate-stream.js";

/** A member that is kept in memory is kept in parts of this size: memory grows with what comes out, not with what was declared. */
const PART_BYTES = 1024 * 1024;

/**
 * The inflated bytes of a raw DEFLATE stream. Reads in order stream through it in constant memory; the first read that goes
 * back makes it inflate all, once, into memory, within the limit `inflatedBytes`.
 */
export function inflateSource(compressed: ByteSource, byteLength: number, limits: Limits): ByteSource {
  let stream: InflateStream | undefined;
  let parts: Uint8Array[] | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** Runs `use` on a stream; one that fails or is aborted is given up, and the next read begins with another. */
  const using = async <T>(streaming: InflateStream, use: (streaming: InflateStream) => Promise<T>): Promise<T> => {
    try {
      return await use(streaming);
    } catch (error) {
      if (stream === streaming) stream = undefined;
      await streaming.cancel();
      throw error;
    }
  };

  const fill = async (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    options?.signal?.throwIfAborted();
    if (target.length === 0) return;
    if (!parts && stream && start < stream.position) {
      checkLimit(limits, "inflatedBytes", byteLength, `Reading ${compressed.name} out of order`);
      const before = stream;
      stream = undefined;
      await before.cancel();
      parts = await using(new InflateStream(compressed, byteLength), (whole) => inflateAll(whole, byteLength, options));
    }
    if (parts) {
      copyFromParts(parts, target, start);
      return;
    }
    stream ??= new InflateStream(compressed, byteLength);
    await using(stream, async (streaming) => {
      await streaming.skipTo(start, options);
      await streaming.fill(target, options);
    });
  };

  const readInto = (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    const run = turn.then(() => fill(target, start, options));
    turn = run.catch(() => undefined); // the next read waits for this one, and does not share its fate
    return run;
  };
  const source: ByteSource = {
    size: byteLength,
    name: compressed.name,
    async read(start, end, options) {
      checkRange(source, start, end);
      const bytes = new Uint8Array(end - start);
      await readInto(bytes, start, options);
      return bytes;
    },
    async readInto(target, start, options) {
      checkRange(source, start, start + target.length);
      await readInto(target, start, options);
    },
  };
  return source;
}

async function inflateAll(stream: InflateStream, byteLength: number, options?: SignalOptions): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  while (stream.position < byteLength) {
    const part = new Uint8Array(Math.min(PART_BYTES, byteLength - stream.position));
    await stream.fill(part, options);
    parts.push(part);
  }
  return parts;
}

function copyFromParts(parts: readonly Uint8Array[], target: Bytes, start: number): void {
  let done = 0;
  while (done < target.length) {
    const at = start + done;
    const part = parts[Math.floor(at / PART_BYTES)];
    if (!part) return; // cannot be: the range was checked
    const piece = part.subarray(at % PART_BYTES).subarray(0, target.length - done);
    target.set(piece, done);
    done += piece.length;
  }
}
