import { type ByteSource, type Bytes, checkLimit, type Limits, memorySource, type SignalOptions } from "@ckptkit/core";
import { crc32c } from "@ckptkit/wasm/crc";
import { bloscSource } from "../codecs/blosc.js";
import { BlockError, compressedError } from "../codecs/errors.js";
import { decodeLz4 } from "../codecs/lz4.js";
import { madeSource } from "../codecs/made-source.js";
import { unshuffle } from "../codecs/shuffle.js";
import { streamSource } from "../codecs/stream-source.js";
import type { ByteCodec } from "./array.js";

const CRC_BYTES = 4;
/** Bytes of a checksum's reading at a time. */
const PIECE_BYTES = 1024 * 1024;
/** What LZ4 makes of a byte at the most, and the length that numcodecs writes before it. */
const LZ4_RATIO = 255;
const LZ4_HEAD_BYTES = 4;

/** Bytes that codecs add to what they are applied to; only checksums come before a compressor. */
const added = (codecs: readonly ByteCodec[]): number => codecs.filter(({ id }) => id === "crc32c").length * CRC_BYTES;

/**
 * What some bytes were before codecs were applied to them, as far as it is read.
 *
 * @param byteLength how many they were, exactly
 * @throws {CheckpointLoadError} COMPRESSION_CORRUPT, also on reading
 */
export function undoCodecs(codecs: readonly ByteCodec[], stored: ByteSource, byteLength: number, limits: Limits): ByteSource {
  let source = stored;
  for (let index = codecs.length - 1; index >= 0; index--) {
    const codec = codecs[index];
    const before = byteLength + added(codecs.slice(0, index));
    if (codec?.id === "crc32c") source = checkedSource(source);
    else if (codec?.id === "shuffle") source = unshuffledSource(source, codec.itemBytes, limits);
    else if (codec?.id === "blosc") source = bloscSource(source, before, limits);
    else if (codec?.id === "lz4") source = lz4Source(source, before, limits);
    else if (codec) source = streamSource(codec.id, source, before);
  }
  if (source.size !== byteLength) throw compressedError(stored.name, `they are ${source.size}, where ${byteLength} are expected`);
  return source;
}

/** Bytes with their CRC-32C behind them, which is checked before the first of them is given. */
function checkedSource(inner: ByteSource): ByteSource {
  if (inner.size < CRC_BYTES) throw compressedError(inner.name, "they are too few for a checksum");
  const end = inner.size - CRC_BYTES;
  let isChecked = false;
  const check = async (options?: SignalOptions): Promise<void> => {
    let crc = 0;
    for (let at = 0; at < end; at += PIECE_BYTES) crc = crc32c(await inner.read(at, Math.min(end, at + PIECE_BYTES), options), crc);
    const recorded = await inner.read(end, inner.size, options);
    const expected = new DataView(recorded.buffer, recorded.byteOffset, CRC_BYTES).getUint32(0, true);
    if (crc !== expected) throw compressedError(inner.name, `their CRC-32C is ${hex(crc)}, where ${hex(expected)} was recorded`);
    isChecked = true;
  };
  return madeSource(
    inner.name,
    end,
    async (target, start, options) => {
      if (!isChecked) await check(options);
      target.set(await inner.read(start, start + target.length, options));
    },
    inner.close?.bind(inner),
  );
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");

/** Bytes that can only be made all at once. */
function wholeSource(name: string, byteLength: number, make: (options?: SignalOptions) => Promise<Bytes>, limits: Limits): ByteSource {
  let whole: Bytes | undefined;
  return madeSource(name, byteLength, async (target, start, options) => {
    checkLimit(limits, "inflatedBytes", byteLength, `Bytes of ${name}`);
    whole ??= await make(options);
    target.set(whole.subarray(start, start + target.length));
  });
}

const unshuffledSource = (inner: ByteSource, itemBytes: number, limits: Limits): ByteSource =>
  wholeSource(inner.name, inner.size, async (options) => unshuffle(await inner.read(0, inner.size, options), itemBytes), limits);

function lz4Source(inner: ByteSource, byteLength: number, limits: Limits): ByteSource {
  const { name, size } = inner;
  const make = async (options?: SignalOptions): Promise<Bytes> => {
    if (size < LZ4_HEAD_BYTES || byteLength > size * LZ4_RATIO)
      throw compressedError(name, `they are ${size}, which cannot give ${byteLength}`);
    const stored = await inner.read(0, size, options);
    const declared = new DataView(stored.buffer, stored.byteOffset, LZ4_HEAD_BYTES).getUint32(0, true);
    if (declared !== byteLength) throw compressedError(name, `they say that they hold ${declared} bytes, where ${byteLength} are expected`);
    const plain = new Uint8Array(byteLength);
    try {
      decodeLz4(stored.subarray(LZ4_HEAD_BYTES), plain);
    } catch (cause) {
      if (!(cause instanceof BlockError)) throw cause;
      throw Object.assign(compressedError(name, cause.message), { cause });
    }
    return plain;
  };
  return wholeSource(name, byteLength, make, limits);
}

/** A source of bytes that are in memory already. */
export const inMemory = async (source: ByteSource, options?: SignalOptions): Promise<ByteSource> =>
  memorySource(await source.read(0, source.size, options), source.name);
