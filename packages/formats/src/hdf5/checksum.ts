import type { Bytes } from "@ckptkit/core";

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/**
 * The checksum that HDF5 puts behind its newer structures: Bob Jenkins' lookup3 (`hashlittle`), with 0 as its first value.
 *
 * @see https://burtleburtle.net/bob/c/lookup3.c
 */
export function lookup3(bytes: Bytes): number {
  let a = (0xdeadbeef + bytes.length) | 0;
  let b = a;
  let c = a;
  let at = 0;
  // Bytes beyond the end count as 0.
  const word = (from: number): number =>
    (bytes[from] ?? 0) | ((bytes[from + 1] ?? 0) << 8) | ((bytes[from + 2] ?? 0) << 16) | ((bytes[from + 3] ?? 0) << 24);
  for (; bytes.length - at > 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
  }
  if (at === bytes.length) return c >>> 0;
  a = (a + word(at)) | 0;
  b = (b + word(at + 4)) | 0;
  c = (c + word(at + 8)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}

/** Words that can be summed before a sum may leave 2^32: as many as HDF5 itself takes at a time. */
const WORDS_AT_ONCE = 360;
const fold = (sum: number): number => (sum & 0xffff) + (sum >>> 16);

/**
 * Fletcher's checksum over words of two bytes, the first of them the higher one; a last single byte is the higher half of a word.
 *
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_i_l_t_e_r.html H5Z_FILTER_FLETCHER32
 */
export function fletcher32(bytes: Bytes): number {
  let first = 0;
  let second = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 2 * WORDS_AT_ONCE);
    for (; at < end; at += 2) {
      first += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      second += first;
    }
    first = fold(first);
    second = fold(second);
  }
  return ((fold(second) << 16) | fold(first)) >>> 0;
}
