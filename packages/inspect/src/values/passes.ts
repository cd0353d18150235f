import type { Kernels, OperationOptions } from "@ckptkit/core";
import { PIECE_BYTES } from "../piece-bytes.js";
import { bytesToRead, type ElementPiece, elementPieces } from "./element-pieces.js";
import type { ElementReader } from "./element-reader.js";

/** Up to so many bytes are kept between two passes, and read only once. */
const KEPT_BYTES = 8 * 1024 * 1024;

type PassOptions = OperationOptions & { kernels?: Kernels | undefined };

/** Goes over a tensor's elements once or twice, and reads small ones only once. */
export class Passes {
  readonly reader: ElementReader;
  /** Bytes that one pass looks at. */
  bytes = 0;
  readonly #sampleBytes: number | undefined;
  readonly #options: PassOptions;
  #kept: readonly ElementPiece[] | undefined;
  #done = 0;

  constructor(reader: ElementReader, sampleBytes: number | undefined, options: PassOptions) {
    this.reader = reader;
    this.#sampleBytes = sampleBytes;
    this.#options = options;
  }

  /** @param of how many passes there are, for the progress */
  async run(of: number, work: (piece: ElementPiece) => void): Promise<void> {
    const expected = bytesToRead(this.reader, this.#sampleBytes);
    const total = expected * of;
    const kept = this.#kept;
    const keep: ElementPiece[] | undefined = of > 1 && expected <= KEPT_BYTES ? [] : undefined;
    this.bytes = 0;
    for await (const piece of kept ?? this.#read()) {
      this.#options.signal?.throwIfAborted();
      work(piece);
      this.bytes += piece.bytes.length;
      this.#done = Math.min(total, this.#done + piece.bytes.length);
      this.#options.onProgress?.({ phase: "histogram", done: this.#done, total, item: this.reader.tensor.path });
      if (!kept) keep?.push({ ...piece, bytes: piece.bytes.slice() });
    }
    this.#kept = kept ?? keep;
  }

  async *#read(): AsyncGenerator<ElementPiece, void, void> {
    const own = this.#options.kernels?.allocate(PIECE_BYTES);
    try {
      yield* elementPieces(this.reader, this.#sampleBytes, own?.bytes ?? new Uint8Array(PIECE_BYTES), this.#options);
    } finally {
      own?.free();
    }
  }
}
