import { type ByteSource, type Bytes, checkRange, type SignalOptions, type Storage } from "@ckptkit/core";

/** Several storages one after another, as one source. */
export function joinedSource(parts: readonly Pick<Storage, "byteLength" | "readInto">[], name: string): ByteSource {
  const ends: number[] = [];
  let size = 0;
  for (const part of parts) {
    size += part.byteLength;
    ends.push(size);
  }
  const fill = async (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    checkRange(source, start, start + target.length);
    let done = 0;
    for (let index = firstEndingAfter(ends, start); done < target.length; index++) {
      const part = parts[index];
      if (!part) return; // cannot be: the range was checked
      const from = start + done - ((ends[index] ?? 0) - part.byteLength);
      const piece = target.subarray(done, done + Math.min(target.length - done, part.byteLength - from));
      await part.readInto(piece, from, options);
      done += piece.length;
    }
  };
  const source: ByteSource = {
    size,
    name,
    async read(start, end, options) {
      checkRange(source, start, end);
      const bytes = new Uint8Array(end - start);
      await fill(bytes, start, options);
      return bytes;
    },
    readInto: fill,
    locate: async () => undefined,
  };
  return source;
}

function firstEndingAfter(ends: readonly number[], byte: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((ends[middle] ?? 0) > byte) high = middle;
    else low = middle + 1;
  }
  return low;
}
