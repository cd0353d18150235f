import { type ByteSource, checkRange } from "./byte-source.js";
import { CheckpointSourceError } from "./errors.js";

/**
 * A Blob or File. Slices are read lazily by the platform, so a file of any size costs only what is read of it.
 *
 * @example const source = blobSource(input.files[0]);
 */
export function blobSource(blob: Blob, name: string = "name" in blob ? String(blob.name) : "blob"): ByteSource {
  const source: ByteSource = {
    size: blob.size,
    name,
    async read(start, end, options) {
      options?.signal?.throwIfAborted();
      checkRange(source, start, end);
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      } catch (cause) {
        throw new CheckpointSourceError("READ_FAILED", `Bytes [${start}, ${end}) of ${name} could not be read: ${describe(cause)}.`, {
          details: { name, start, end },
          suggestions: ["Choose the file again: it may have been changed or moved since."],
          cause,
        });
      }
      options?.signal?.throwIfAborted();
      if (bytes.length !== end - start) {
        throw new CheckpointSourceError("SOURCE_CHANGED", `${name} gave ${bytes.length} bytes for [${start}, ${end}).`, {
          details: { name, start, end, found: bytes.length },
        });
      }
      return bytes;
    },
    descriptor: () => ({ kind: "blob", blob, name }),
  };
  return source;
}

const describe = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
