import type { Bytes } from "@ckptkit/core";

/** Puts bytes back that were ordered by their place in the element. Bytes that are no whole element stand at the end. */
export function unshuffle(bytes: Bytes, itemBytes: number): Bytes {
  const count = Math.floor(bytes.length / itemBytes);
  if (itemBytes < 2 || count < 2) return bytes;
  const plain = new Uint8Array(bytes.length);
  for (let place = 0, from = 0; place < itemBytes; place++) {
    for (let to = place; to < count * itemBytes; to += itemBytes) plain[to] = bytes[from++] ?? 0;
  }
  plain.set(bytes.subarray(count * itemBytes), count * itemBytes);
  return plain;
}

/**
 * The same for bits. Elements that are no multiple of eight were left as they are.
 *
 * @see https://github.com/Blosc/c-blosc blosc/shuffle.c, bitunshuffle
 */
export function unshuffleBits(bytes: Bytes, itemBytes: number): Bytes {
  const count = Math.floor(bytes.length / itemBytes);
  if (count % 8 !== 0) return bytes;
  const plain = new Uint8Array(bytes.length);
  const row = count / 8;
  for (let place = 0; place < itemBytes; place++) {
    for (let bit = 0; bit < 8; bit++) {
      const start = (place * 8 + bit) * row;
      for (let eight = 0; eight < row; eight++) {
        const bits = bytes[start + eight] ?? 0;
        if (bits === 0) continue;
        let to = eight * 8 * itemBytes + place;
        for (let one = 0; one < 8; one++, to += itemBytes) plain[to] = (plain[to] ?? 0) | (((bits >> one) & 1) << bit);
      }
    }
  }
  plain.set(bytes.subarray(count * itemBytes), count * itemBytes);
  return plain;
}
