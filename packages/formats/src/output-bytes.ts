import { type ByteSink, type Bytes, CheckpointConfigError, type OutputTensor } from "@ckptkit/core";
import { type PlannedFill, planFills } from "./plan-fills.js";
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
    const { buffer, signal } = this.#options;
    let written = 0;
    for await (const bytes of tensor.chunks(buffer, this.#options)) {
      signal?.throwIfAborted();
      written += bytes.length;
      if (written > tensor.byteLength) break;
      yield bytes;
      this.#count(bytes.length, tensor.name);
    }
    if (written === tensor.byteLength) return;
    const found = written > tensor.byteLength ? `${written} or more` : String(written);
    throw new CheckpointConfigError(
      "INVALID_ARGUMENT",
      `The tensor ${JSON.stringify(tensor.name)} declares ${tensor.byteLength} bytes and gave ${found}.`,
      { details: { name: tensor.name, declared: tensor.byteLength, found: written } },
    );
  }

  /**
   * Writes tensors one after the other, with nothing between them. While one half of the buffer is being written, the other is filled.
   *
   * @throws what reading and writing throw; {@link CheckpointConfigError} INVALID_ARGUMENT as {@link of} does
   */
  async writeTo(sink: ByteSink, tensors: readonly OutputTensor[]): Promise<void> {
    const { buffer, signal } = this.#options;
    const halfBytes = Math.floor(buffer.length / 2 / HALF_UNIT_BYTES) * HALF_UNIT_BYTES;
    if (halfBytes === 0) return this.#writeInTurn(sink, tensors);
    const halves = [buffer.subarray(0, halfBytes), buffer.subarray(halfBytes, 2 * halfBytes)] as const;
    let [filling, idle] = halves;
    let writing: Promise<void> = Promise.resolve();
    try {
      for (const planned of planFills(tensors, halfBytes)) {
        if ("tensor" in planned) {
          await writing;
          await this.#writeInTurn(sink, [planned.tensor]);
          continue;
        }
        const { fills, byteLength } = planned;
        await fillAll(filling, fills, this.#options);
        signal?.throwIfAborted();
        await writing;
        writing = sink.write(filling.subarray(0, byteLength));
        // It is waited for below, or given up for another failure: neither is an unhandled one.
        writing.catch(() => {});
        [filling, idle] = [idle, filling];
        this.#count(byteLength, fills.at(-1)?.tensor.name);
      }
      await writing;
    } finally {
      // Whoever owns the buffer may give it to another when this is over.
      await writing.catch(() => {});
    }
  }

  async #writeInTurn(sink: ByteSink, tensors: readonly OutputTensor[]): Promise<void> {
    for (const tensor of tensors) for await (const piece of this.of(tensor)) await sink.write(piece);
  }

  #count(bytes: number, item: string | undefined): void {
    this.#done += bytes;
    this.#options.onProgress?.({ phase: "convert", done: this.#done, total: this.#total, ...(item !== undefined && { item }) });
  }
}

/** Halves of the buffer are multiples of a cache line. */
const HALF_UNIT_BYTES = 64;

/** Reads of small tensors that are on their way at a time. */
const SIDE_BY_SIDE = 4;

/** Waits for all of them, also when one fails: until then they write into the buffer. */
async function fillAll(target: Bytes, fills: readonly PlannedFill[], options: WriteOptions): Promise<void> {
  const waiting = fills[Symbol.iterator]();
  const fillSome = async (): Promise<void> => {
    for (const { tensor, start, from, to } of waiting) await tensor.fill(target.subarray(from, to), start, options);
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(SIDE_BY_SIDE, fills.length) }, fillSome));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
