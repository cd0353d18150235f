import { type ByteSource, CheckpointLoadError, checkRange, Storage } from "@ckptkit/core";
import type { Loss } from "./salvaged.js";

/** A storage that stands in the place of one whose bytes are lost: of its size, and without memory. */
export function lostStorage(id: string, byteLength: number, { message }: Loss): Storage {
  const bytes: ByteSource = {
    size: byteLength,
    name: id,
    async read(start, end) {
      checkRange(bytes, start, end);
      if (start === end) return new Uint8Array(0);
      throw new CheckpointLoadError("TORCH_STORAGE_MISSING", message, { details: { storage: id } });
    },
  };
  return new Storage({ id, bytes });
}
