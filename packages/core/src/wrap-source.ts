import type { ByteSource, Bytes } from "./byte-source.js";
import type { SignalOptions } from "./progress.js";

/** What a wrapper does differently from the source that it wraps. */
export interface SourceReads {
  read(start: number, end: number, options?: SignalOptions): Promise<Bytes>;
  readInto(target: Bytes, start: number, options?: SignalOptions): Promise<void>;
}

/** A source like `inner` that reads in another way. Name, size, version, descriptor and closing are those of `inner`. */
export function wrapSource(inner: ByteSource, reads: SourceReads): ByteSource {
  const { readSync } = inner;
  return {
    size: inner.size,
    name: inner.name,
    ...(inner.version && { version: inner.version }),
    ...(inner.address !== undefined && { address: inner.address }),
    ...(readSync && { readSync: (start: number, end: number) => readSync.call(inner, start, end) }),
    ...reads,
    ...(inner.descriptor && { descriptor: () => inner.descriptor?.() }),
    ...(inner.close && { close: async () => inner.close?.() }),
  };
}
