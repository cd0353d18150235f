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
import { LONGEST_FIELD, readField, readVarint, type WireField } from "../protobuf/wire.js";

/** Bytes of the first read of a run of fields, and of the largest. After a payload that was skipped, few bytes are wanted. */
const FIRST_READ_BYTES = 64 * 1024;
const READ_AFTER_SKIP_BYTES = 4 * 1024;
const LARGEST_READ_BYTES = 4 * 1024 * 1024;

const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

/** The error for a model whose bytes make no sense. */
export function onnxError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("ONNX_CORRUPT", `${name} is no good ONNX model: ${why}.`, {
    details,
    suggestions: ["Fetch the file again, or compare its size with the original's."],
  });
}

/**
 * Reads the messages of a model field by field, and only what is looked at: payloads are passed over by their lengths. What was fetched counts
 * against the limit `headerBytes`, fields against `metadataValues`.
 */
export class Cursor {
  readonly source: ByteSource;
  readonly limits: Limits;
  readonly #options: SignalOptions | undefined;
  #bytes: Bytes = new Uint8Array(0);
  /** Where the bytes in hand begin in the file, and where in them the next field stands. */
  #start = 0;
  #at = 0;
  #readBytes = FIRST_READ_BYTES;
  #fetched = 0;
  #fields = 0;

  constructor(source: ByteSource, limits: Limits, options?: SignalOptions) {
    this.source = source;
    this.limits = limits;
    this.#options = options;
  }

  /** Where the next field stands in the file. */
  get position(): number {
    return this.#start + this.#at;
  }

  /** Goes on at another place of the file. */
  moveTo(position: number): void {
    const at = position - this.#start;
    if (at >= 0 && at <= this.#bytes.length) {
      this.#at = at;
      return;
    }
    this.#start = position;
    this.#at = 0;
    this.#bytes = new Uint8Array(0);
    this.#readBytes = READ_AFTER_SKIP_BYTES;
  }

  /** Whether the next field of a message that ends at `end` is in memory as far as {@link next} needs it; else {@link fetch}. */
  has(end: number): boolean {
    return this.#bytes.length - this.#at >= Math.min(LONGEST_FIELD, end - this.position);
  }

  /** Brings what follows into memory, at least `count` bytes. @throws {CheckpointLoadError} LIMIT_EXCEEDED */
  *fetch(count = LONGEST_FIELD): Reading<void> {
    const start = this.position;
    const wanted = Math.min(count, this.source.size - start);
    checkLimit(this.limits, "headerBytes", this.#fetched + wanted, `Description in ${this.source.name}`);
    const allowed = Math.max(wanted, this.limits.headerBytes - this.#fetched);
    const end = Math.min(this.source.size, start + Math.min(allowed, Math.max(wanted, this.#readBytes)));
    this.#bytes = yield* readStep(this.source, start, end, this.#options);
    this.#start = start;
    this.#at = 0;
    this.#fetched += end - start;
    this.#readBytes = Math.min(LARGEST_READ_BYTES, 4 * this.#readBytes);
  }

  /**
   * The next field of a message that ends at `end`. The cursor stands at its value then; places are those in the file.
   *
   * @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED
   */
  next(end: number, what: string): WireField {
    const field = readField(this.#bytes, this.#at);
    const at = this.position;
    if (!field) throw onnxError(this.source.name, `what stands at ${at}, within ${what}, is no field of a message`, { at });
    const start = this.#start + field.start;
    const stop = this.#start + field.end;
    if (stop > end) {
      const where = end === this.source.size ? "where the file ends" : `where ${what} ends`;
      throw onnxError(this.source.name, `a field of ${what} at ${at} reaches to ${stop}, beyond ${end}, ${where}`, {
        at,
        expected: stop,
        found: end,
      });
    }
    checkLimit(this.limits, "metadataValues", ++this.#fields, `Fields of ${this.source.name}`);
    this.#at = field.start;
    return { ...field, start, end: stop };
  }

  /** The bytes of a field's value. @throws {CheckpointLoadError} LIMIT_EXCEEDED */
  *bytes({ start, end }: WireField): Reading<Bytes> {
    this.moveTo(start);
    if (this.#bytes.length - this.#at < end - start) yield* this.fetch(end - start);
    const at = this.#at;
    this.moveTo(end);
    return this.#bytes.subarray(at, at + end - start);
  }

  /** A field's value as text; what is no UTF-8 in it becomes U+FFFD. @throws {CheckpointLoadError} LIMIT_EXCEEDED */
  *text(field: WireField): Reading<string> {
    const bytes = yield* this.bytes(field);
    // TextDecoder refuses views of shared memory.
    return UTF8.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
  }

  /** The varints of a packed field. @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED */
  *varints(field: WireField, most: number, what: string): Reading<(number | bigint)[]> {
    const bytes = yield* this.bytes(field);
    const values: (number | bigint)[] = [];
    for (let at = 0; at < bytes.length; ) {
      const varint = values.length < most ? readVarint(bytes, at) : undefined;
      if (!varint) throw onnxError(this.source.name, `${what} at ${field.start} is no list of at most ${most} numbers`);
      values.push(varint.value);
      at = varint.end;
    }
    return values;
  }
}

/**
 * Goes through the fields of a message. `each` may read the value of a field, and need not: what it leaves is passed over.
 *
 * @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED, and what `each` throws
 */
export function* eachField(
  cursor: Cursor,
  end: number,
  what: string,
  each: (field: WireField) => Reading<void> | undefined,
): Reading<void> {
  while (cursor.position < end) {
    if (!cursor.has(end)) yield* cursor.fetch();
    const field = cursor.next(end, what);
    const reading = each(field);
    if (reading) yield* reading;
    cursor.moveTo(field.end);
  }
}
