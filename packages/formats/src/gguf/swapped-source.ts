import { type ByteSource, type Bytes, checkRange, type SignalOptions } from "@ckptkit/core";

/** Blocks with numbers of the other byte order, as little-endian ones. Reads whole blocks. */
export function swappedSource(
  inner: ByteSource,
  blockBytes: number,
  words: readonly { readonly at: number; readonly bytes: number }[],
): ByteSource {
  const source: ByteSource = {
    size: inner.size,
    name: inner.name,
    async read(start: number, end: number, options?: SignalOptions): Promise<Bytes> {
      checkRange(source, start, end);
      const from = Math.floor(start / blockBytes) * blockBytes;
      const to = Math.min(inner.size, Math.ceil(end / blockBytes) * blockBytes);
      // A copy: the inner source may hand out bytes that it keeps.
      const blocks = (await inner.read(from, to, options)).slice();
      for (let block = 0; block < blocks.length; block += blockBytes) {
        for (const { at, bytes } of words) blocks.subarray(block + at, block + at + bytes).reverse();
      }
      return blocks.subarray(start - from, end - from);
    },
  };
  return source;
}
