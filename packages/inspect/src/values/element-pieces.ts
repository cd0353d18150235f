import type { Bytes, SignalOptions } from "@ckptkit/core";
import { PIECE_BYTES } from "../piece-bytes.js";
import type { ElementReader } from "./element-reader.js";

/** Bytes of whole elements, and the row-major place of the first of them. */
export interface ElementPiece {
  readonly bytes: Bytes;
  readonly first: number;
  readonly count: number;
}

/** Bytes of one place of a sample: larger than what a disk or a server gives anyway. */
const SAMPLE_PIECE_BYTES = 64 * 1024;

/** Bytes that {@link elementPieces} will read. */
export function bytesToRead({ tensor }: ElementReader, sampleBytes: number | undefined): number {
  return sampleBytes === undefined || tensor.byteLength <= sampleBytes ? tensor.byteLength : sampleBytes;
}

/**
 * The elements of a tensor piece by piece: all of them, or, of a tensor that is larger than `sampleBytes`, pieces at equal
 * distances from its first element to its last.
 *
 * @param buffer 4 MiB that are filled anew for each piece
 */
export async function* elementPieces(
  reader: ElementReader,
  sampleBytes: number | undefined,
  buffer: Bytes,
  options: SignalOptions,
): AsyncGenerator<ElementPiece, void, void> {
  const { tensor, bits } = reader;
  if (sampleBytes === undefined || tensor.byteLength <= sampleBytes) {
    let first = 0;
    for await (const bytes of tensor.chunks(buffer.subarray(0, Math.min(buffer.length, PIECE_BYTES)), options)) {
      const count = Math.min(Math.floor((bytes.length * 8) / bits), tensor.elementCount - first);
      yield { bytes, first, count };
      first += count;
    }
    return;
  }
  const each = Math.max(1, Math.floor((SAMPLE_PIECE_BYTES * 8) / bits));
  const pieces = Math.max(1, Math.round(sampleBytes / SAMPLE_PIECE_BYTES));
  const perByte = bits < 8 ? 8 / bits : 1;
  for (let piece = 0; piece < pieces; piece++) {
    options.signal?.throwIfAborted();
    const place = pieces === 1 ? 0 : Math.floor(((tensor.elementCount - each) * piece) / (pieces - 1));
    const first = Math.max(0, Math.floor(place / perByte) * perByte);
    const count = Math.min(each, tensor.elementCount - first);
    const { bytes } = await reader.bytesOfRange(first, count, options);
    yield { bytes, first, count };
  }
}
