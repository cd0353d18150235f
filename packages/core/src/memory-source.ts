import { type ByteSource, type Bytes, checkRange } from "./byte-source.js";

/**
 * Bytes that are already in memory. Reads give copies, so that a caller may keep or change what it got.
 *
 * @example const source = memorySource(new Uint8Array([1, 2, 3]), "three bytes");
 */
export function memorySource(bytes: Bytes, name = "memory"): ByteSource {
  const source: ByteSource = {
    size: bytes.length,
    name,
    async read(start, end, options) {
      options?.signal?.throwIfAborted();
      checkRange(source, start, end);
      return bytes.slice(start, end);
    },
    readSync(start, end) {
      checkRange(source, start, end);
      return bytes.slice(start, end);
    },
    async readInto(target, start, options) {
      options?.signal?.throwIfAborted();
      checkRange(source, start, start + target.length);
      target.set(bytes.subarray(start, start + target.length));
    },
    // Memory of this thread alone would have to be copied for every worker.
    descriptor: () => (isShared(bytes.buffer) ? { kind: "memory", bytes, name } : undefined),
  };
  return source;
}

/** Whether memory is shared with other threads. Pages that are not isolated have no SharedArrayBuffer at all. */
const isShared = (buffer: ArrayBufferLike): boolean => typeof SharedArrayBuffer === "function" && buffer instanceof SharedArrayBuffer;
