import { type ByteSource, type Bytes, checkRange } from "@ckptkit/core";

/** A source of which `bytes`, from `start` on, are in memory: reads within them cost nothing, all others go to the file. */
export function windowSource(inner: ByteSource, start: number, bytes: Bytes): ByteSource {
  const end = start + bytes.length;
  const { readSync } = inner;
  const isWithin = (from: number, to: number): boolean => from >= start && to <= end;
  return {
    size: inner.size,
    name: inner.name,
    async read(from, to, options) {
      checkRange(inner, from, to);
      return isWithin(from, to) ? bytes.slice(from - start, to - start) : inner.read(from, to, options);
    },
    ...(readSync && {
      readSync: (from: number, to: number) => {
        checkRange(inner, from, to);
        return isWithin(from, to) ? bytes.slice(from - start, to - start) : readSync.call(inner, from, to);
      },
    }),
  };
}
