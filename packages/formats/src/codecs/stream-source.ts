import { type ByteSource, type Bytes, CheckpointLoadError, type SignalOptions } from "@ckptkit/core";
import { InflateStream } from "../zip/inflate-stream.js";
import { compressedError } from "./errors.js";
import { madeSource } from "./made-source.js";
import { ZstdStream } from "./zstd/stream.js";

/** A decoder that is read forwards. */
interface DecodeStream {
  readonly position: number;
  skipTo(start: number, options?: SignalOptions): Promise<void>;
  fill(target: Bytes, options?: SignalOptions): Promise<void>;
  cancel(): Promise<void>;
}

/** What is read forwards only, by the names that zarr gives. */
export type StreamCodec = "zstd" | "gzip" | "zlib";

/**
 * The bytes of a compressed stream, in constant memory when they are read in order. A read that goes back decodes from the beginning again.
 *
 * @param byteLength what it must decode to, exactly
 * @throws {CheckpointLoadError} on reading: COMPRESSION_CORRUPT
 */
export function streamSource(codec: StreamCodec, compressed: ByteSource, byteLength: number): ByteSource {
  let stream: DecodeStream | undefined;
  const open = (): DecodeStream =>
    codec === "zstd"
      ? new ZstdStream(compressed, byteLength)
      : new InflateStream(compressed, byteLength, codec === "gzip" ? "gzip" : "deflate");
  const close = async (): Promise<void> => {
    const before = stream;
    stream = undefined;
    await before?.cancel();
  };
  const fill = async (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    if (stream && start < stream.position) await close();
    stream ??= open();
    try {
      await stream.skipTo(start, options);
      await stream.fill(target, options);
    } catch (cause) {
      await close();
      if (!(cause instanceof CheckpointLoadError) || cause.code !== "ZIP_CORRUPT") throw cause;
      throw Object.assign(compressedError(compressed.name, `as ${codec} they do not give ${byteLength} bytes`), { cause });
    }
  };
  return madeSource(compressed.name, byteLength, fill, close);
}
