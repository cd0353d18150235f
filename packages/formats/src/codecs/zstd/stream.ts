import { type ByteSource, type Bytes, CheckpointLoadError, type SignalOptions } from "@ckptkit/core";
import { BlockError, compressedError } from "../errors.js";
import { BlockDecoder, MOST_BLOCK_BYTES } from "./block.js";

const MAGIC = 0xfd2fb528;
/** Frames that hold nothing for a decoder: any of 16 magic numbers. */
const SKIPPABLE = 0x184d2a50;
/** Windows that zstd itself accepts without being told to. @see https://github.com/facebook/zstd lib/zstd.h, ZSTD_WINDOWLOG_LIMIT_DEFAULT */
const MOST_WINDOW_BYTES = 2 ** 27;
/** Compressed bytes read at a time. */
const READ_BYTES = 256 * 1024;
const HEAD_BYTES = 18;

/** A decoder of Zstandard frames that is read forwards, in memory of the size of a window. */
export class ZstdStream {
  /** Bytes handed out so far. */
  position = 0;
  readonly #source: ByteSource;
  readonly #byteLength: number;
  #frame: Frame | undefined;
  /** Compressed bytes in memory, where they begin in the source, and where in them the next one stands. */
  #piece: Bytes = new Uint8Array(0);
  #start = 0;
  #at = 0;

  /** @param byteLength what all frames must decode to, exactly */
  constructor(compressed: ByteSource, byteLength: number) {
    this.#source = compressed;
    this.#byteLength = byteLength;
  }

  /** Decodes up to `start` and forgets it. */
  async skipTo(start: number, options?: SignalOptions): Promise<void> {
    while (this.position < start) this.#take(start - this.position, await this.#waiting(options));
  }

  /**
   * Fills `target` with the next bytes. With the last of them, makes sure that the frames end there.
   *
   * @throws {CheckpointLoadError} COMPRESSION_CORRUPT, LIMIT_EXCEEDED for a window of more than 128 MiB
   */
  async fill(target: Bytes, options?: SignalOptions): Promise<void> {
    for (let at = 0; at < target.length; ) {
      const piece = this.#take(target.length - at, await this.#waiting(options));
      target.set(piece, at);
      at += piece.length;
    }
    if (this.position === this.#byteLength && (await this.#more(options)))
      throw this.#error(`they hold more than ${this.#byteLength} bytes`);
  }

  /** The next bytes, as many as are decoded, valid until the next call; undefined behind the last, which may come before `byteLength`. */
  async next(options?: SignalOptions): Promise<Uint8Array | undefined> {
    return (await this.#more(options)) && this.#frame ? this.#take(Number.POSITIVE_INFINITY, this.#frame) : undefined;
  }

  async cancel(): Promise<void> {
    this.#frame = undefined;
  }

  #take(most: number, frame: Frame): Uint8Array {
    const piece = frame.take(most);
    this.position += piece.length;
    return piece;
  }

  /** The frame whose bytes come next. */
  async #waiting(options?: SignalOptions): Promise<Frame> {
    if (await this.#more(options)) return this.#frame as Frame; // the call made sure of it
    throw this.#error(`they hold ${this.position} bytes, not ${this.#byteLength}`);
  }

  /** Whether bytes follow: decodes until some wait, or nothing is left. */
  async #more(options?: SignalOptions): Promise<boolean> {
    for (;;) {
      if (this.#frame && this.#frame.waiting > 0) return true;
      options?.signal?.throwIfAborted();
      if (this.#frame && !this.#frame.ended) await this.#block(this.#frame, options);
      else if (this.#left === 0) return false;
      else this.#frame = await this.#nextFrame(options);
    }
  }

  get #left(): number {
    return this.#source.size - this.#start - this.#at;
  }

  /** The next compressed bytes, which stay valid until the next call. */
  async #next(count: number, options?: SignalOptions): Promise<Bytes> {
    if (count > this.#left) throw this.#error("they are cut off");
    if (this.#piece.length - this.#at < count) {
      this.#start += this.#at;
      this.#at = 0;
      this.#piece = await this.#source.read(this.#start, Math.min(this.#source.size, this.#start + Math.max(count, READ_BYTES)), options);
    }
    this.#at += count;
    return this.#piece.subarray(this.#at - count, this.#at);
  }

  /** @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1 */
  async #nextFrame(options?: SignalOptions): Promise<Frame | undefined> {
    const most = Math.min(HEAD_BYTES, this.#left);
    const head = await this.#next(most, options);
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const magic = most < 5 ? 0 : view.getUint32(0, true);
    if (most >= 8 && magic - (magic % 16) === SKIPPABLE) {
      const end = 8 + view.getUint32(4, true);
      if (end > this.#left + most) throw this.#error("a skippable frame is cut off");
      this.#at += end - most;
      return undefined;
    }
    if (magic !== MAGIC) throw this.#error("no frame begins where one should");
    const flags = view.getUint8(4);
    const isSingle = flags % 64 >= 32;
    const sizeFlag = Math.floor(flags / 64);
    const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 2 ** sizeFlag;
    const windowBytes = isSingle ? 0 : 1;
    const dictionaryBytes = [0, 1, 2, 4][flags % 4] ?? 0;
    const headBytes = 5 + windowBytes + dictionaryBytes + sizeBytes;
    if (headBytes > most) throw this.#error("the head of a frame is cut off");
    if (flags % 16 >= 8) throw this.#error("a frame uses a bit that is reserved");
    for (let byte = 0; byte < dictionaryBytes; byte++) {
      if (view.getUint8(5 + windowBytes + byte) !== 0) throw this.#error("a frame needs a dictionary, which is not at hand");
    }
    const sizeAt = headBytes - sizeBytes;
    const left = this.#byteLength - this.position;
    let size: number | undefined;
    if (sizeBytes === 1) size = view.getUint8(sizeAt);
    else if (sizeBytes === 2) size = view.getUint16(sizeAt, true) + 256;
    else if (sizeBytes === 4) size = view.getUint32(sizeAt, true);
    else if (sizeBytes === 8) size = Number(view.getBigUint64(sizeAt, true));
    if (size !== undefined && size > left) throw this.#error(`a frame says that it holds ${size} bytes, where ${left} are expected`);
    const log = windowBytes > 0 ? view.getUint8(5) : 0;
    const window = isSingle ? (size ?? 0) : 2 ** (10 + Math.floor(log / 8)) * (1 + (log % 8) / 8);
    if (window > MOST_WINDOW_BYTES && (size ?? left) > MOST_WINDOW_BYTES) throw tooWide(this.#source.name, window);
    this.#at += headBytes - most;
    return new Frame(window, size, left, flags % 8 >= 4);
  }

  async #block(frame: Frame, options?: SignalOptions): Promise<void> {
    const { 0: a = 0, 1: b = 0, 2: c = 0 } = await this.#next(3, options);
    const type = (a >> 1) & 3;
    const size = (a >> 3) + b * 32 + c * 8192;
    if (type === 3 || size > frame.mostBlockBytes) throw this.#error("a block is of a size or kind that there is not");
    const stored = await this.#next(type === 1 ? 1 : size, options);
    try {
      frame.add(type, stored, size);
    } catch (cause) {
      if (!(cause instanceof BlockError)) throw cause;
      throw Object.assign(this.#error(cause.message), { cause });
    }
    if (a % 2 === 0) return;
    frame.ended = true;
    if (!frame.isWhole) throw this.#error("a frame holds another number of bytes than it says");
    if (frame.hasChecksum) await this.#next(4, options);
  }

  #error(why: string): CheckpointLoadError {
    return compressedError(this.#source.name, why);
  }
}

/** One frame: what it decoded to lately, as far as blocks to come may refer to it. */
class Frame {
  ended = false;
  readonly hasChecksum: boolean;
  readonly mostBlockBytes: number;
  readonly #size: number | undefined;
  readonly #window: number;
  /** Bytes that may still come. */
  #left: number;
  readonly #blocks = new BlockDecoder();
  /** Grows with what comes out, not with what was declared. */
  #bytes = new Uint8Array(0);
  /** Where the bytes in memory end, and which of them were not taken yet. */
  #end = 0;
  #taken = 0;
  #total = 0;

  constructor(window: number, size: number | undefined, left: number, hasChecksum: boolean) {
    this.#window = Math.min(window, left);
    this.#size = size;
    this.#left = left;
    this.hasChecksum = hasChecksum;
    this.mostBlockBytes = Math.min(MOST_BLOCK_BYTES, Math.max(window, 1));
  }

  get waiting(): number {
    return this.#end - this.#taken;
  }

  /** Whether the frame has as many bytes as it says. */
  get isWhole(): boolean {
    return this.#size === undefined || this.#total === this.#size;
  }

  take(most: number): Uint8Array {
    const start = this.#taken;
    this.#taken = Math.min(this.#end, start + most);
    return this.#bytes.subarray(start, this.#taken);
  }

  /** @param type 0 for bytes as they are, 1 for one byte that is repeated, 2 for compressed ones. @throws {BlockError} */
  add(type: number, stored: Bytes, size: number): void {
    const most = Math.min(this.#left, this.mostBlockBytes);
    if (type < 2 && size > most) throw new BlockError("a frame holds more bytes than are expected");
    this.#makeRoom(type < 2 ? size : most);
    const start = this.#end;
    if (type === 0) this.#bytes.set(stored, start);
    else if (type === 1) this.#bytes.fill(stored[0] ?? 0, start, start + size);
    const end =
      type < 2
        ? start + size
        : this.#blocks.decode(stored, { bytes: this.#bytes, first: Math.max(0, start - this.#window), start, limit: start + most });
    this.#end = end;
    this.#total += end - start;
    this.#left -= end - start;
  }

  /** Everything in memory was taken when this is called. */
  #makeRoom(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const kept = Math.min(this.#end, this.#window);
    // Twice what must be kept, so that it is moved once in a while only.
    const most = 2 * this.#window + 2 * MOST_BLOCK_BYTES;
    const length = Math.min(most, Math.max(2 * this.#bytes.length, kept + 2 * count));
    const grown = length > this.#bytes.length ? new Uint8Array(length) : this.#bytes;
    if (grown === this.#bytes) grown.copyWithin(0, this.#end - kept, this.#end);
    else grown.set(this.#bytes.subarray(this.#end - kept, this.#end));
    this.#bytes = grown;
    this.#end = kept;
    this.#taken = kept;
  }
}

const tooWide = (name: string, window: number): CheckpointLoadError =>
  new CheckpointLoadError("LIMIT_EXCEEDED", `A frame of ${name} needs ${window} bytes of memory; ${MOST_WINDOW_BYTES} are allowed.`, {
    details: { allowed: MOST_WINDOW_BYTES, found: window },
  });
