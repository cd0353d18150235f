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

/** The error for bytes that are no MessagePack, or end too early. */
export function msgpackError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("MSGPACK_CORRUPT", `${name} is no good MessagePack file: ${why}.`, {
    details,
    suggestions: ["Fetch the file again, or compare its size with the original's."],
  });
}

/** Bytes of a read behind a payload that was passed over, and of the largest one. */
const FIRST_READ_BYTES = 4 * 1024;
const LARGEST_READ_BYTES = 1024 * 1024;

const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a file forwards in pieces, and passes over what it is told to without reading it. Numbers are big-endian. */
export class MsgpackCursor {
  readonly source: ByteSource;
  readonly #limits: Limits;
  readonly #options: SignalOptions | undefined;
  #bytes: Bytes = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the piece begins in the file, and where in the piece the next value stands: behind its end after a skip. */
  #start = 0;
  #at = 0;
  #readBytes = FIRST_READ_BYTES;
  /** Bytes of payloads that were passed over. */
  #passed = 0;

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

  /** @throws {CheckpointLoadError} MSGPACK_CORRUPT, LIMIT_EXCEEDED */
  *fetch(count: number, what: string): Reading<void> {
    this.check(count, what);
    const start = this.position;
    this.#readBytes = this.#at > this.#bytes.length ? FIRST_READ_BYTES : Math.min(LARGEST_READ_BYTES, 4 * this.#readBytes);
    checkLimit(this.#limits, "headerBytes", start - this.#passed + count, `Description of ${this.source.name}`);
    const end = Math.min(this.source.size, start + Math.max(count, this.#readBytes));
    this.#bytes = yield* readStep(this.source, start, end, this.#options);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    this.#start = start;
    this.#at = 0;
  }

  /** @throws {CheckpointLoadError} LIMIT_EXCEEDED when a value is over its limit */
  checkLimit(limit: "metadataValues" | "treeDepth", value: number, what: string): void {
    checkLimit(this.#limits, limit, value, `${what} of ${this.source.name}`);
  }

  /** Makes sure that the file has so many bytes from here on. @throws {CheckpointLoadError} MSGPACK_CORRUPT */
  check(count: number, what: string): void {
    if (count <= this.left) return;
    throw msgpackError(
      this.source.name,
      `it ends within ${what}, which needs ${count} bytes at ${this.position}, where ${this.left} follow`,
      {
        at: this.position,
        expected: count,
        found: this.left,
      },
    );
  }

  /** Passes over a payload, and tells where it begins in the file. @throws {CheckpointLoadError} MSGPACK_CORRUPT */
  pass(count: number, what: string): number {
    this.check(count, what);
    this.#passed += count;
    return this.#start + this.#take(count);
  }

  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    return at;
  }

  u8 = (): number => this.#view.getUint8(this.#take(1));
  i8 = (): number => this.#view.getInt8(this.#take(1));
  u16 = (): number => this.#view.getUint16(this.#take(2));
  i16 = (): number => this.#view.getInt16(this.#take(2));
  u32 = (): number => this.#view.getUint32(this.#take(4));
  i32 = (): number => this.#view.getInt32(this.#take(4));
  u64 = (): number | bigint => exactOrBig(this.#view.getBigUint64(this.#take(8)));
  i64 = (): number | bigint => exactOrBig(this.#view.getBigInt64(this.#take(8)));
  f32 = (): number => this.#view.getFloat32(this.#take(4));
  f64 = (): number => this.#view.getFloat64(this.#take(8));

  /** Bytes in memory, copied. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return Uint8Array.from(this.#bytes.subarray(at, at + count));
  }

  /** Text of so many bytes in memory; the bytes themselves where they are not UTF-8. */
  text(count: number): string | Uint8Array {
    const bytes = this.bytes(count);
    try {
      return UTF8.decode(bytes);
    } catch {
      return bytes;
    }
  }
}

const exactOrBig = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};
