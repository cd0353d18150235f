import { type ByteSource, CheckpointLoadError, checkLimit, checkRange, type Limits, type SignalOptions } from "@ckptkit/core";
import { compressedError } from "../codecs/errors.js";
import type { Packing } from "./packing.js";

/** What is unpacked is kept in parts of this size: memory grows with what comes out. */
const PART_BYTES = 1024 * 1024;
/** Below this many bytes no ratio is suspicious: a few zeros pack well. */
const ANY_RATIO_BYTES = 16 * 1024 * 1024;

/** What a packed file holds. */
export interface Unpacked {
  /** What came out, in memory; as far as it came where there is an error. */
  readonly content: ByteSource;
  /** Why not all came out: COMPRESSION_CORRUPT, or LIMIT_EXCEEDED. */
  readonly error?: CheckpointLoadError | undefined;
}

/**
 * Unpacks a file into memory: how long its content is shows only when all of it has come out.
 *
 * @param limits `inflatedBytes` and `inflateRatio` bound it.
 * @throws {CheckpointLoadError} PACKED_FILE for a packing that is not decoded here; what reading the file throws
 * @example const { content } = await unpackFile(source, packing, "model.ckpt", withLimits());
 */
export async function unpackFile(
  packed: ByteSource,
  { name, codec }: Packing,
  innerName: string,
  limits: Limits,
  options?: SignalOptions,
): Promise<Unpacked> {
  if (codec === undefined) {
    throw new CheckpointLoadError("PACKED_FILE", `${packed.name} is packed by ${name}, which is not unpacked here.`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  let room = new Uint8Array(0);
  let error: CheckpointLoadError | undefined;
  const stream = await streamOf(codec, packed);
  try {
    for (let piece = await stream.next(options); piece; piece = await stream.next(options)) {
      const after = size + piece.length;
      checkLimit(limits, "inflatedBytes", after, `Bytes in ${packed.name}`);
      if (after > ANY_RATIO_BYTES)
        checkLimit(limits, "inflateRatio", Math.ceil(after / packed.size), `Bytes in ${packed.name} for each byte of it`);
      size = after;
      while (piece.length > 0) {
        if (room.length === 0) {
          room = new Uint8Array(PART_BYTES);
          parts.push(room);
        }
        const fits = piece.subarray(0, room.length);
        room.set(fits);
        room = room.subarray(fits.length);
        piece = piece.subarray(fits.length);
      }
    }
  } catch (cause) {
    if (!(cause instanceof CheckpointLoadError)) throw cause;
    const { code } = cause;
    if (code !== "ZIP_CORRUPT" && code !== "COMPRESSION_CORRUPT" && code !== "LIMIT_EXCEEDED") throw cause;
    error = code === "LIMIT_EXCEEDED" ? cause : compressedError(packed.name, `${name} gives ${size} bytes, and then breaks off`, { size });
  } finally {
    await stream.cancel();
  }
  return { content: partsSource(parts, size, innerName), error };
}

interface PieceStream {
  next(options?: SignalOptions): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
}

/** Decoders are loaded when they are needed. */
async function streamOf(codec: NonNullable<Packing["codec"]>, packed: ByteSource): Promise<PieceStream> {
  const unknown = Number.MAX_SAFE_INTEGER;
  if (codec === "zstd") {
    const { ZstdStream } = await import("../codecs/zstd/stream.js");
    return new ZstdStream(packed, unknown);
  }
  const { InflateStream } = await import("../zip/inflate-stream.js");
  return new InflateStream(packed, unknown, codec === "gzip" ? "gzip" : "deflate");
}

function partsSource(parts: readonly Uint8Array[], size: number, name: string): ByteSource {
  const source: ByteSource = {
    size,
    name,
    async read(start, end, options) {
      options?.signal?.throwIfAborted();
      checkRange(source, start, end);
      const bytes = new Uint8Array(end - start);
      for (let done = 0; done < bytes.length; ) {
        const at = start + done;
        const piece = (parts[Math.floor(at / PART_BYTES)] ?? bytes).subarray(at % PART_BYTES).subarray(0, bytes.length - done);
        bytes.set(piece, done);
        done += piece.length;
      }
      return bytes;
    },
  };
  return source;
}
