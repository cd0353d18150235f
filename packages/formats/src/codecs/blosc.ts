import { type ByteSource, type Bytes, CheckpointLoadError, checkLimit, type Limits, memorySource, type SignalOptions } from "@ckptkit/core";
import { unsnap } from "../tf-bundle/snappy.js";
import { InflateStream } from "../zip/inflate-stream.js";
import { decodeBloscLz } from "./blosclz.js";
import { BlockError, bad, compressedError } from "./errors.js";
import { decodeLz4 } from "./lz4.js";
import { madeSource } from "./made-source.js";
import { unshuffle, unshuffleBits } from "./shuffle.js";
import { ZstdStream } from "./zstd/stream.js";

const HEAD_BYTES = 16;
/** Programs by which parts are compressed, by their numbers. */
const COMPRESSORS = ["blosclz", "lz4", "snappy", "zlib", "zstd"];
/** Blocks are split by the bytes of their elements when these are so few, and each part then has so many bytes. */
const MOST_SPLITS = 16;
const LEAST_SPLIT_BYTES = 128;

/** What the head of Blosc's bytes says. */
interface BloscHead {
  readonly name: string;
  readonly compressor: string;
  readonly shuffle: "none" | "bytes" | "bits";
  readonly isPlain: boolean;
  readonly isSplit: boolean;
  readonly itemBytes: number;
  readonly blockBytes: number;
  readonly byteLength: number;
  /** Where the blocks begin. */
  readonly starts: readonly number[];
}

/**
 * What Blosc compressed, block by block: only the blocks that a read touches are decoded, and one of them is kept.
 *
 * @param byteLength what it must decode to, exactly
 * @throws {CheckpointLoadError} on reading: COMPRESSION_CORRUPT, UNSUPPORTED_CODEC, LIMIT_EXCEEDED
 * @see https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst
 */
export function bloscSource(compressed: ByteSource, byteLength: number, limits: Limits): ByteSource {
  let head: BloscHead | undefined;
  let kept: { block: number; bytes: Bytes } | undefined;
  return madeSource(compressed.name, byteLength, async (target, start, options) => {
    head ??= await readHead(compressed, byteLength, options);
    const { blockBytes } = head;
    checkLimit(limits, "inflatedBytes", blockBytes, `Bytes of a block of ${compressed.name}`);
    for (let at = 0; at < target.length; ) {
      options?.signal?.throwIfAborted();
      const block = Math.floor((start + at) / blockBytes);
      if (kept?.block !== block) kept = { block, bytes: await readBlock(compressed, head, block, options) };
      const piece = kept.bytes.subarray(start + at - block * blockBytes).subarray(0, target.length - at);
      target.set(piece, at);
      at += piece.length;
    }
  });
}

async function readHead(compressed: ByteSource, byteLength: number, options?: SignalOptions): Promise<BloscHead> {
  const { size, name } = compressed;
  const fail = (why: string): CheckpointLoadError => compressedError(name, why);
  if (size < HEAD_BYTES) throw fail(`they are ${size}, where the head of Blosc alone has ${HEAD_BYTES}`);
  const bytes = await compressed.read(0, HEAD_BYTES, options);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(2);
  const declared = view.getUint32(4, true);
  const blockBytes = view.getUint32(8, true);
  if (view.getUint8(0) > 2) throw fail(`they are of version ${view.getUint8(0)} of Blosc`);
  if (declared !== byteLength) throw fail(`they say that they hold ${declared} bytes, where ${byteLength} are expected`);
  if (view.getUint32(12, true) !== size) throw fail(`they are ${size}, and say that they are ${view.getUint32(12, true)}`);
  if (byteLength > 0 && (blockBytes === 0 || blockBytes > Math.max(byteLength, LEAST_SPLIT_BYTES)))
    throw fail(`a block has ${blockBytes} bytes`);
  const head = {
    name,
    compressor: COMPRESSORS[Math.floor(flags / 32)] ?? `number ${Math.floor(flags / 32)}`,
    shuffle: flags % 2 === 1 ? "bytes" : flags % 8 >= 4 ? "bits" : "none",
    isPlain: flags % 4 >= 2,
    isSplit: flags % 32 < 16,
    itemBytes: Math.max(1, view.getUint8(3)),
    blockBytes,
    byteLength,
  } as const;
  if (head.isPlain) {
    if (size !== HEAD_BYTES + byteLength) throw fail("they are not as many as they were before");
    return { ...head, starts: [] };
  }
  const count = Math.ceil(byteLength / Math.max(1, blockBytes));
  const end = HEAD_BYTES + 4 * count;
  if (end > size) throw fail(`they are ${size}, where ${count} blocks need more`);
  const table = await compressed.read(HEAD_BYTES, end, options);
  const starts = new DataView(table.buffer, table.byteOffset, table.byteLength);
  return { ...head, starts: Array.from({ length: count }, (_, index) => starts.getUint32(4 * index, true)) };
}

/** Decodes one block. */
async function readBlock(compressed: ByteSource, head: BloscHead, block: number, options?: SignalOptions): Promise<Bytes> {
  const { name, blockBytes, byteLength, itemBytes, starts, shuffle } = head;
  const first = block * blockBytes;
  const length = Math.min(blockBytes, byteLength - first);
  if (head.isPlain) return compressed.read(HEAD_BYTES + first, HEAD_BYTES + first + length, options);
  const isWhole = length === blockBytes;
  const canSplit = head.isSplit && isWhole && itemBytes <= MOST_SPLITS && blockBytes / itemBytes >= LEAST_SPLIT_BYTES;
  const parts = canSplit ? itemBytes : 1;
  const partBytes = Math.floor(length / parts);
  const bytes = new Uint8Array(length);
  let at = starts[block] ?? 0;
  for (let part = 0; part < parts; part++) {
    if (at + 4 > compressed.size) throw compressedError(name, `block ${block} leads out of them`);
    const size = await compressed.read(at, at + 4, options);
    const stored = new DataView(size.buffer, size.byteOffset, 4).getUint32(0, true);
    at += 4;
    if (at + stored > compressed.size) throw compressedError(name, `block ${block} leads out of them`);
    const target = bytes.subarray(part * partBytes, (part + 1) * partBytes);
    await decodePart(await compressed.read(at, at + stored, options), target, head, options);
    at += stored;
  }
  if (parts * partBytes !== length) throw compressedError(name, `block ${block} is no whole number of parts`);
  return shuffle === "bytes" ? unshuffle(bytes, itemBytes) : shuffle === "bits" ? unshuffleBits(bytes, itemBytes) : bytes;
}

async function decodePart(stored: Bytes, target: Uint8Array, { compressor, name }: BloscHead, options?: SignalOptions): Promise<void> {
  if (stored.length === target.length) {
    target.set(stored);
    return;
  }
  try {
    if (compressor === "lz4") decodeLz4(stored, target);
    else if (compressor === "blosclz") decodeBloscLz(stored, target);
    else if (compressor === "zstd") await new ZstdStream(memorySource(stored, name), target.length).fill(target, options);
    else if (compressor === "zlib") await inflateInto(stored, target, name, options);
    else if (compressor === "snappy") target.set(unsnapped(stored, target.length));
    else throw unknownCompressor(name, compressor);
  } catch (cause) {
    if (!(cause instanceof BlockError)) throw cause;
    throw Object.assign(compressedError(name, cause.message), { cause });
  }
}

/** @throws {BlockError} */
function unsnapped(stored: Bytes, byteLength: number): Bytes {
  const bytes = unsnap(stored);
  return bytes?.length === byteLength ? bytes : bad("Snappy's bytes make no sense");
}

/** Inflates zlib's bytes into all of `target`. @throws {CheckpointLoadError} COMPRESSION_CORRUPT */
async function inflateInto(stored: Bytes, target: Uint8Array, name: string, options?: SignalOptions): Promise<void> {
  const stream = new InflateStream(memorySource(stored, name), target.length, "deflate");
  try {
    await stream.fill(target, options);
  } catch (cause) {
    if (!(cause instanceof CheckpointLoadError)) throw cause;
    throw Object.assign(compressedError(name, "zlib's bytes cannot be inflated"), { cause });
  } finally {
    await stream.cancel();
  }
}

const unknownCompressor = (name: string, compressor: string): CheckpointLoadError =>
  new CheckpointLoadError("UNSUPPORTED_CODEC", `${name} is compressed by ${compressor} within Blosc, which is not read here.`, {
    details: { codec: "blosc", compressor },
    suggestions: ["Write the array again with lz4 or zstd."],
  });
