import type { BundleEntry, Slice } from "./entries.js";

/**
 * The key under which a slice of a variable is stored.
 *
 * @see https://github.com/tensorflow/tensorflow tensorflow/core/util/saved_tensor_slice_util.cc, EncodeTensorNameSlice
 */
export function sliceKey(nameKey: string, { starts, lengths }: Slice): string {
  let key = unsignedKey(0) + textKey(nameKey) + unsignedKey(starts.length);
  for (const [axis, start] of starts.entries()) {
    // All of an axis is written as from 0, -1 long.
    const length = lengths[axis];
    key += signedKey(start) + signedKey(length ?? -1);
  }
  return key;
}

const byte = (value: number): string => String.fromCharCode(value);

/** How many bytes it has, and these, the highest first. @see tensorflow/core/lib/strings/ordered_code.cc, WriteNumIncreasing */
function unsignedKey(value: number): string {
  let bytes = "";
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes = byte(rest % 256) + bytes;
  return byte(bytes.length) + bytes;
}

/** Zeros and 0xff are escaped, and an end is marked. @see WriteString */
const textKey = (text: string): string => `${text.replace(/[\0\xff]/g, (char) => (char === "\0" ? "\0\xff" : "\xff\0"))}\0\x01`;

/** Bits of the first byte that say how many bytes there are. @see kLengthToHeaderBits */
const LENGTH_MARKS = [0, 0x80, 0xc0, 0xe0, 0xf0, 0xf8, 0xfc, 0xfe, 0xff];

/** Integers from -64 to 2^53 - 1: extents are not smaller. @see WriteSignedNumIncreasing */
function signedKey(value: number): string {
  if (value < 0) return byte(0x80 ^ (value & 0xff));
  let length = 1;
  for (let most = 64; value >= most; most *= 128) length++;
  let bytes = "";
  for (let index = 0, rest = value; index < length; index++, rest = Math.floor(rest / 256)) bytes = byte(rest % 256) + bytes;
  return byte(bytes.charCodeAt(0) ^ (LENGTH_MARKS[length] ?? 0)) + bytes.slice(1);
}

/** A slice as a box of the variable. */
export function boxOf({ starts, lengths }: Slice, { shape }: BundleEntry): { offsets: number[]; sizes: number[] } {
  return { offsets: [...starts], sizes: starts.map((start, axis) => lengths[axis] ?? Math.max(0, (shape[axis] ?? 0) - start)) };
}
