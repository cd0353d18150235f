interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Byte ranges of a file that were read, with their bytes, so that they can be given again. */
export class ByteRanges {
  readonly #pieces: Piece[] = [];

  /** Keeps a copy of the bytes from `start` on. */
  add(start: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#pieces.push({ start, bytes: bytes.slice() });
  }

  /** Whether all of [start, end) was read. */
  covers(start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      const piece = this.#furthest(at);
      if (!piece) return false;
      at = piece.start + piece.bytes.length;
    }
    return true;
  }

  /** Fills `target` with the bytes from `start` on, all of which were read. */
  copy(target: Uint8Array, start: number): void {
    const end = start + target.length;
    for (let at = start; at < end; ) {
      const piece = this.#furthest(at);
      if (!piece) return;
      const part = piece.bytes.subarray(at - piece.start, end - piece.start);
      target.set(part, at - start);
      at += part.length;
    }
  }

  /** Of the pieces that hold the byte at `at`, the one that goes on for longest. */
  #furthest(at: number): Piece | undefined {
    let best: Piece | undefined;
    for (const piece of this.#pieces) {
      if (piece.start > at || endOf(piece) <= at) continue;
      if (!best || endOf(piece) > endOf(best)) best = piece;
    }
    return best;
  }
}

const endOf = ({ start, bytes }: Piece): number => start + bytes.length;
