import type { Bytes } from "@ckptkit/core";

/**
 * Unpacks what LibLZF packed, h5py's own filter. Undefined when the bytes make no sense, or are not exactly `length` afterwards.
 *
 * @see http://oldhome.schmorp.de/marc/liblzf.html
 */
export function inflateLzf(packed: Bytes, length: number): Bytes | undefined {
  // The longest reference is 264 bytes, made of three.
  if (length > packed.length * 88) return undefined;
  const out = new Uint8Array(length);
  let to = 0;
  for (let at = 0; at < packed.length; ) {
    const control = packed[at++] ?? 0;
    if (control < 32) {
      const count = control + 1;
      if (at + count > packed.length || to + count > length) return undefined;
      out.set(packed.subarray(at, at + count), to);
      at += count;
      to += count;
      continue;
    }
    let count = (control >> 5) + 2;
    if (count === 9) count += packed[at++] ?? 0;
    const from = to - (control & 31) * 256 - (packed[at++] ?? 0) - 1;
    if (from < 0 || at > packed.length || to + count > length) return undefined;
    // Byte by byte: a reference may overlap what it makes.
    for (let byte = 0; byte < count; byte++) out[to + byte] = out[from + byte] ?? 0;
    to += count;
  }
  return to === length ? out : undefined;
}
