import {
  type ByteSource,
  type Bytes,
  CheckpointError,
  checkLimit,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
} from "@ckptkit/core";
import { type Pickle, readPickle } from "@ckptkit/pickle";

/** Bytes read first for a pickle whose length is written nowhere. */
const FIRST_BYTES = 1024;

/** Reads pickles and raw bytes one after the other. */
export class MixedStream {
  /** Where the next thing begins. */
  at = 0;
  readonly #source: ByteSource;
  readonly #limits: Limits;
  readonly #options: SignalOptions;

  constructor(source: ByteSource, limits: Limits, options: SignalOptions) {
    this.#source = source;
    this.#limits = limits;
    this.#options = options;
  }

  /** @throws {CheckpointLoadError} PICKLE_*, LIMIT_EXCEEDED */
  *pickle(): Reading<Pickle> {
    const { size, name } = this.#source;
    for (let wanted = FIRST_BYTES; ; wanted *= 4) {
      checkLimit(this.#limits, "pickleBytes", wanted / 4, `A pickle of ${name}`);
      const end = Math.min(this.at + wanted, size);
      const bytes = yield* readStep(this.#source, this.at, end, this.#options);
      try {
        const pickle = readPickle(bytes, { limits: this.#limits });
        this.at += pickle.end;
        return pickle;
      } catch (error) {
        if (!(error instanceof CheckpointError) || error.code !== "PICKLE_TRUNCATED" || end === size) throw error;
      }
    }
  }

  /** The next bytes. @throws {CheckpointSourceError} OUT_OF_RANGE */
  *bytes(count: number): Reading<Bytes> {
    const bytes = yield* readStep(this.#source, this.at, this.at + count, this.#options);
    this.at += count;
    return bytes;
  }
}
