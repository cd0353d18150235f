import { type Bytes, CheckpointConfigError, type OutputTensor } from "@ckptkit/core";
import type { WriteOptions } from "./write-session.js";

/** Hands the bytes of tensors to a writer, and keeps count. */
export class OutputBytes {
  readonly #options: WriteOptions;
  readonly #total: number;
  #done = 0;

  /** @param tensors all that will be written: progress is told as a part of their bytes. */
  constructor(tensors: readonly OutputTensor[], options: WriteOptions) {
    this.#options = options;
    this.#total = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Bytes of all tensors together. */
  get total(): number {
    return this.#total;
  }

  /**
   * The bytes of one tensor, piece by piece: exactly as many as it declares, for the file's structure relies on that.
   *
   * @throws {CheckpointConfigError} INVALID_ARGUMENT when there are more or fewer
   */
  async *of(tensor: OutputTensor): AsyncGenerator<Bytes, void, void> {
    const { buffer, signal, onProgress } = this.#options;
    let written = 0;
    for await (const bytes of tensor.chunks(buffer, this.#options)) {
      signal?.throwIfAborted();
      written += bytes.length;
      if (written > tensor.byteLength) break;
      yield bytes;
      this.#done += bytes.length;
      onProgress?.({ phase: "convert", done: this.#done, total: this.#total, item: tensor.name });
    }
    if (written === tensor.byteLength) return;
    const found = written > tensor.byteLength ? `${written} or more` : String(written);
    throw new CheckpointConfigError(
      "INVALID_ARGUMENT",
      `The tensor ${JSON.stringify(tensor.name)} declares ${tensor.byteLength} bytes and gave ${found}.`,
      { details: { name: tensor.name, declared: tensor.byteLength, found: written } },
    );
  }
}
