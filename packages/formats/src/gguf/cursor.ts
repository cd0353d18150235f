import {
  type ByteSource,
  type Bytes,
  CheckpointLoadError,
  checkLimit,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
} from "@ckptkit/core";

/** The error for a description that makes no sense. */
export function ggufError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("GGUF_CORRUPT", `${name} is no good GGUF file: ${why}.`, {
    details,
    suggestions: ["Fetch the file again, or compare its size with the original's."],
  });
}

/** Bytes of the first read, and of the largest: descriptions have from some hundred bytes to tens of megabytes. */
const FIRST_READ_BYTES = 64 * 1024;
const LARGEST_READ_BYTES = 4 * 1024 * 1024;

const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the description from the file's start on, in pieces that grow: where it ends is known only when it has been read. */
export class Cursor {
  bigEndian = false;
  readonly source: ByteSource;
  readonly #limits: Limits;
  readonly #options: SignalOptions | undefined;
  #bytes: Bytes = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the piece begins in the file, and where in the piece the next value stands. */
  #start = 0;
  #at = 0;
  #readBytes = FIRST_READ_BYTES;

  constructor(source: ByteSource, limits: Limits, options?: SignalOptions) {
    this.source = source;
    this.#limits = limits;
    this.#options = options;
  }

  /** Where the next value stands in the file. */
  get position(): number {
    return this.#start + this.#at;
  }

  /** Bytes of the file from here on. */
  get left(): number {
    return this.source.size - this.position;
  }

  /** Whether the next bytes are in memory; else {@link fetch} them. Kept apart, since few values need to wait. */
  has(count: number): boolean {
    return this.#bytes.length - this.#at >= count;
  }

  /** How many values of so many bytes each are in memory. */
  ready(bytes: number): number {
    return Math.floor((this.#bytes.length - this.#at) / bytes);
  }

  /** @throws {CheckpointLoadError} GGUF_CORRUPT, LIMIT_EXCEEDED */
  *fetch(count: number, what: string): Reading<void> {
    if (count > this.left) {
      throw ggufError(
        this.source.name,
        `it ends within ${what}, which needs ${count} bytes at ${this.position}, where ${this.left} follow`,
        {
          at: this.position,
          expected: count,
          found: this.left,
        },
      );
    }
    const start = this.position;
    checkLimit(this.#limits, "headerBytes", start + count, `Description of ${this.source.name}`);
    const allowed = Math.max(start + count, this.#limits.headerBytes);
    const end = Math.min(this.source.size, allowed, start + Math.max(count, this.#readBytes));
    this.#bytes = yield* readStep(this.source, start, end, this.#options);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    this.#start = start;
    this.#at = 0;
    this.#readBytes = Math.min(LARGEST_READ_BYTES, 4 * this.#readBytes);
  }

  /** Moves over bytes that are in memory and tells where they stand in the piece. */
  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    return at;
  }

  u8 = (): number => this.#view.getUint8(this.#take(1));
  i8 = (): number => this.#view.getInt8(this.#take(1));
  u16 = (): number => this.#view.getUint16(this.#take(2), !this.bigEndian);
  i16 = (): number => this.#view.getInt16(this.#take(2), !this.bigEndian);
  u32 = (): number => this.#view.getUint32(this.#take(4), !this.bigEndian);
  i32 = (): number => this.#view.getInt32(this.#take(4), !this.bigEndian);
  f32 = (): number => this.#view.getFloat32(this.#take(4), !this.bigEndian);
  f64 = (): number => this.#view.getFloat64(this.#take(8), !this.bigEndian);
  u64 = (): number | bigint => exactOrBig(this.#view.getBigUint64(this.#take(8), !this.bigEndian));
  i64 = (): number | bigint => exactOrBig(this.#view.getBigInt64(this.#take(8), !this.bigEndian));

  /** A length, count, size or offset: 4 bytes in version 1, 8 in those after it. @throws {CheckpointLoadError} GGUF_CORRUPT */
  size(bytes: 4 | 8, what: string): number {
    const value = bytes === 4 ? this.u32() : this.u64();
    if (typeof value === "number") return value;
    throw ggufError(this.source.name, `${what} is ${value}`, { at: this.position - 8 });
  }

  /** Text of so many bytes in memory; the bytes themselves where they are not UTF-8. */
  text(count: number): string | Uint8Array {
    const at = this.#take(count);
    const bytes = this.#bytes.subarray(at, at + count);
    try {
      // TextDecoder refuses views of shared memory.
      return UTF8.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
    } catch {
      return Uint8Array.from(bytes);
    }
  }
}

const exactOrBig = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};
