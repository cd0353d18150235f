import { type Bytes, countElements } from "@ckptkit/core";
import { crc32c } from "@ckptkit/wasm/crc";
import { readVarint } from "../protobuf/wire.js";
import { unmasked } from "./crc.js";
import type { BundleEntry } from "./entries.js";

/** What is wrong with the bytes of text. */
export type StringDefect = "malformed" | "crc";

/**
 * The values of a tensor of text: lengths as varints, the CRC of the lengths, then the text. The entry's CRC is over the lengths as integers of four
 * bytes (eight where they need them), the CRC of these, and the text.
 *
 * @see https://github.com/tensorflow/tensorflow tensorflow/core/util/tensor_bundle/tensor_bundle.cc, WriteStringTensor
 */
export function readStrings(bytes: Bytes, entry: BundleEntry): Bytes[] | StringDefect {
  const count = countElements(entry.shape);
  // Each length takes a byte at the least.
  if (count > bytes.length) return "malformed";
  const lengths: number[] = [];
  let at = 0;
  let crc = 0;
  for (let index = 0; index < count; index++) {
    const length = readVarint(bytes, at);
    if (!length || typeof length.value !== "number") return "malformed";
    lengths.push(length.value);
    crc = crc32c(littleEndian(length.value), crc);
    at = length.end;
  }
  if (at + 4 > bytes.length) return "malformed";
  const checksum = bytes.subarray(at, at + 4);
  if (new DataView(checksum.buffer, checksum.byteOffset, 4).getUint32(0, true) !== masked(crc)) return "crc";
  const start = at + 4;
  if (start + lengths.reduce((sum, length) => sum + length, 0) !== bytes.length) return "malformed";
  if (crc32c(bytes.subarray(start), crc32c(checksum, crc)) !== unmasked(entry.crc)) return "crc";
  let end = start;
  return lengths.map((length) => {
    end += length;
    return bytes.subarray(end - length, end);
  });
}

function littleEndian(length: number): Uint8Array {
  const bytes = new Uint8Array(length < 2 ** 32 ? 4 : 8);
  for (let index = 0, rest = length; index < bytes.length; index++, rest = Math.floor(rest / 256)) bytes[index] = rest % 256;
  return bytes;
}

/** The inverse of {@link unmasked}. */
const masked = (crc: number): number => ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) % 2 ** 32;
