import { type ByteSource, type CheckpointError, checkRange } from "@ckptkit/core";

/** Stands for bytes that are described and cannot be had: every read throws. */
export function unreadableSource(size: number, name: string, why: () => CheckpointError): ByteSource {
  const source: ByteSource = {
    size,
    name,
    async read(start, end) {
      checkRange(source, start, end);
      throw why();
    },
    locate: async () => undefined,
  };
  return source;
}
