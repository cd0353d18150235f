import { type ByteSource, type Bytes, CheckpointLoadError, checkRange, type Limits } from "@ckptkit/core";

/** A source whose bytes are made by `fill`, not read from a file as they are. */
export function madeSource(
  name: string,
  size: number,
  fill: (target: Bytes, start: number, signal?: AbortSignal) => Promise<void>,
): ByteSource {
  const source: ByteSource = {
    size,
    name,
    async read(start, end, options) {
      checkRange(source, start, end);
      const target = new Uint8Array(end - start);
      await fill(target, start, options?.signal);
      return target;
    },
    async readInto(target, start, options) {
      checkRange(source, start, start + target.length);
      await fill(target, start, options?.signal);
    },
    locate: async () => undefined,
  };
  return source;
}

/** Writes a value over and over, as if it had been done from byte 0 of the dataset on. Zeros where there is none. */
export function repeat(target: Bytes, start: number, value: Bytes | undefined): void {
  if (!value || value.length === 0 || value.every((byte) => byte === 0)) {
    target.fill(0);
    return;
  }
  for (let at = 0; at < target.length; at++) target[at] = value[(start + at) % value.length] ?? 0;
}

/** @throws {CheckpointLoadError} LIMIT_EXCEEDED when few bytes of a file stand for very many that were never written */
export function checkExpansion(name: string, byteLength: number, storedBytes: number, limits: Limits): void {
  const allowed = Math.max(limits.expandedBytes, storedBytes * limits.inflateRatio);
  if (byteLength <= allowed) return;
  throw new CheckpointLoadError(
    "LIMIT_EXCEEDED",
    `${name} has ${storedBytes} bytes in the file that stand for ${byteLength}; ${allowed} are allowed.`,
    {
      details: { limit: "expandedBytes", allowed, found: byteLength },
    },
  );
}
