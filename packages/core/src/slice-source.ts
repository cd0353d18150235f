import { type ByteSource, checkRange, locate, readInto } from "./byte-source.js";

/**
 * The part [start, end) of another source, as a source of its own. Closing it does not close the other.
 *
 * @throws {CheckpointSourceError} OUT_OF_RANGE when the part is not within the source.
 */
export function sliceSource(inner: ByteSource, start: number, end: number, name = inner.name): ByteSource {
  checkRange(inner, start, end);
  const { readSync } = inner;
  const source: ByteSource = {
    size: end - start,
    name,
    async read(from, to, options) {
      checkRange(source, from, to);
      return inner.read(start + from, start + to, options);
    },
    async readInto(target, from, options) {
      checkRange(source, from, from + target.length);
      await readInto(inner, target, start + from, options);
    },
    ...(readSync && {
      readSync: (from: number, to: number) => {
        checkRange(source, from, to);
        return readSync.call(inner, start + from, start + to);
      },
    }),
    async locate(options) {
      const place = await locate(inner, options);
      return place && { source: place.source, start: place.start + start };
    },
  };
  return source;
}
