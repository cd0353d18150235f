import { CheckpointError } from "./errors.js";
import type { KernelBuffer, Kernels } from "./kernels.js";
import type { SignalOptions } from "./progress.js";
import { crcMismatch, type Storage } from "./storage.js";

/** Follows the reads of one storage and checks its CRC in the end. Bytes read in order are not read again. */
export interface CrcWatch {
  /**
   * Reads what has not gone by yet, and compares.
   *
   * @throws {CheckpointIntegrityError} CRC_MISMATCH
   */
  finish(options?: SignalOptions): Promise<void>;
  /** Stops watching without a verdict. */
  cancel(): void;
}

/**
 * From here on computes the CRC of a storage from the bytes as they are read. Returns undefined when the container recorded none,
 * or when the storage is watched already.
 *
 * @example
 * const watch = watchCrc(storage, kernels);
 * await storage.readInto(bytes, 0); // for some reason of its own
 * await watch?.finish(); // throws when the bytes are damaged
 */
export function watchCrc(storage: Storage, kernels: Kernels): CrcWatch | undefined {
  const { crc: expected, id, byteLength } = storage;
  if (expected === undefined) return undefined;
  const hasher = kernels.hasher(expected.algorithm);
  let done = 0;
  const release = storage.listen((start, bytes) => {
    const skip = done - start;
    if (skip < 0 || skip >= bytes.length) return;
    hasher.update(bytes.subarray(skip));
    done += bytes.length - skip;
  });
  if (!release) {
    hasher.free();
    return undefined;
  }
  let isOver = false;
  const cancel = (): void => {
    if (isOver) return;
    isOver = true;
    hasher.free();
    release();
  };
  const checkWatching = (): void => {
    if (isOver) throw new CheckpointError("INTERNAL", `The CRC of "${id}" is not watched any more.`);
  };
  return {
    cancel,
    async finish(options) {
      checkWatching();
      let buffer: KernelBuffer | undefined;
      try {
        if (done < byteLength) buffer = kernels.allocate(1 << 18);
        while (buffer && done < byteLength) {
          await storage.readInto(buffer.bytes.subarray(0, Math.min(buffer.bytes.length, byteLength - done)), done, options);
          checkWatching();
        }
        const found = Number.parseInt(hasher.hexDigest(), 16);
        if (found !== expected.value) throw crcMismatch(id, expected.value, found, expected.algorithm);
      } finally {
        buffer?.free();
        cancel();
      }
    },
  };
}
