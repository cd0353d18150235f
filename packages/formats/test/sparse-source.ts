import { type ByteSource, checkRange } from "@ckptkit/core";

/** A piece of a file. */
export interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A source of any size that holds some pieces in memory; all other bytes are zeros. Pieces are in order and do not overlap. */
export function sparseSource(size: number, pieces: readonly Piece[], name = "sparse"): ByteSource {
  const fill = (target: Uint8Array, start: number): void => {
    for (let index = firstReaching(pieces, start); index < pieces.length; index++) {
      const piece = pieces[index];
      if (!piece || piece.at >= start + target.length) return;
      const from = Math.max(start, piece.at);
      const to = Math.min(start + target.length, piece.at + piece.bytes.length);
      if (to > from) target.set(piece.bytes.subarray(from - piece.at, to - piece.at), from - start);
    }
  };
  const source: ByteSource = {
    size,
    name,
    async read(start, end, options) {
      options?.signal?.throwIfAborted();
      checkRange(source, start, end);
      const bytes = new Uint8Array(end - start);
      fill(bytes, start);
      return bytes;
    },
  };
  return source;
}

/** Index of the first piece that ends after a position. */
function firstReaching(pieces: readonly Piece[], start: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const piece = pieces[middle];
    if (piece && piece.at + piece.bytes.length <= start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bytes one after another. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Little-endian bytes of [width, value] pairs. */
export function fields(...pairs: readonly (readonly [width: 1 | 2 | 4 | 8, value: number])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pairs.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of pairs) {
    if (width === 8) view.setBigUint64(at, BigInt(value), true);
    else if (width === 4) view.setUint32(at, value, true);
    else if (width === 2) view.setUint16(at, value, true);
    else view.setUint8(at, value);
    at += width;
  }
  return bytes;
}

export const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
