import type { Bytes } from "@ckptkit/core";
import type { ElementReader } from "./element-reader.js";
import type { NumberTally } from "./number-tally.js";

/**
 * Counts how often each pattern of a number's 8 or 16 bits occurs: one look at the bytes then says everything about the
 * distribution.
 */
export class PatternCounts {
  readonly #reader: ElementReader;
  readonly #bytes: 1 | 2;
  readonly #counts: Float64Array;

  constructor(reader: ElementReader) {
    this.#reader = reader;
    this.#bytes = reader.bits / reader.width === 8 ? 1 : 2;
    this.#counts = new Float64Array(this.#bytes === 1 ? 256 : 65_536);
  }

  /** Whether a tensor's numbers have 8 or 16 bits, and mean the same wherever they stand. */
  static suits({ bits, width, dtype, tensor }: ElementReader): boolean {
    const { quantization } = tensor.spec;
    const numberBits = bits / width;
    return (numberBits === 8 || numberBits === 16) && dtype !== "F4_X2" && (!quantization || quantization.scheme === "per_tensor_affine");
  }

  add(bytes: Bytes): void {
    const counts = this.#counts;
    if (this.#bytes === 1) {
      for (let i = 0; i < bytes.length; i++) {
        const pattern = bytes[i] ?? 0;
        counts[pattern] = (counts[pattern] ?? 0) + 1;
      }
      return;
    }
    const words = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
    const patterns = new Uint16Array(words.buffer, words.byteOffset, Math.floor(words.length / 2));
    for (let i = 0; i < patterns.length; i++) {
      const pattern = patterns[i] ?? 0;
      counts[pattern] = (counts[pattern] ?? 0) + 1;
    }
  }

  /** Adds the numbers that the patterns stand for. */
  tellTo(tally: NumberTally): void {
    const all = new Uint8Array(this.#counts.length * this.#bytes);
    for (let pattern = 0; pattern < this.#counts.length; pattern++) {
      all[pattern * this.#bytes] = pattern % 256;
      if (this.#bytes === 2) all[2 * pattern + 1] = Math.floor(pattern / 256);
    }
    const numbers = this.#reader.decode(all, this.#counts.length / this.#reader.width, 0);
    tally.add(numbers, this.#counts);
  }
}
