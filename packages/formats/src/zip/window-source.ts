import { type ByteSource, type Bytes, checkRange } from "@ckptkit/core";

/** A source of which `bytes`, from `start` on, are in memory: reads within them cost nothing, all others go to the file. */
export function windowSource(inner: ByteSource, start: number, bytes: Bytes): ByteSource {
  const end = start + bytes.length;
  return {
    size: inner.size,
    name: inner.name,
    async read(from, to, options) {
      checkRange(inner, from, to);
      return from >= start && to <= end ? bytes.slice(from - start, to - start) : inner.read(from, to, options);
    },
  };
}
