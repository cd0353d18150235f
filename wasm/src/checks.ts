import {
  type Bytes,
  CAST_DTYPES,
  type CastDType,
  CheckpointConfigError,
  CheckpointError,
  DTYPES,
  SCAN_DTYPES,
  type ScanDType,
} from "@ckptkit/core";

/** Memory of kernels in bytes unless told otherwise: a few buffers of some MiB, and room for the states of scans and hashes. */
export const DEFAULT_MEMORY_BYTES = 24 * 2 ** 20;
/** Less memory than this in bytes holds no useful buffer beside the kernels' own areas. */
const MIN_MEMORY_BYTES = 2 ** 20;
/** A WebAssembly memory has at most 65536 pages of 64 KiB; one is left free, so that no pointer wraps around. */
const MAX_MEMORY_BYTES = 65535 * 65536;

/** The memory to use. @throws {CheckpointConfigError} INVALID_ARGUMENT when it is no size in range */
export function checkMemoryBytes(memoryBytes: number = DEFAULT_MEMORY_BYTES): number {
  if (Number.isSafeInteger(memoryBytes) && memoryBytes >= MIN_MEMORY_BYTES && memoryBytes <= MAX_MEMORY_BYTES) return memoryBytes;
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `Kernels were asked to use ${memoryBytes} bytes of memory; it can be an integer from ${MIN_MEMORY_BYTES} to ${MAX_MEMORY_BYTES}.`,
    { details: { memoryBytes, min: MIN_MEMORY_BYTES, max: MAX_MEMORY_BYTES } },
  );
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT when a buffer's size is not an exact integer from 0 on */
export function checkByteLength(byteLength: number): void {
  if (Number.isSafeInteger(byteLength) && byteLength >= 0) return;
  throw new CheckpointConfigError("INVALID_ARGUMENT", `A buffer of ${byteLength} bytes was asked for; sizes are integers from 0 on.`, {
    details: { byteLength },
  });
}

/** The error of memory that is used up. */
export function memoryUsedUp(byteLength: number, memoryBytes: number): CheckpointError {
  return new CheckpointError(
    "LIMIT_EXCEEDED",
    `The kernels' memory of ${memoryBytes} bytes has no ${byteLength} bytes in one piece left.`,
    {
      details: { limit: "memoryBytes", memoryBytes, byteLength },
      suggestions: ["Free buffers, scanners and hashers that are done with.", "Load the kernels with a larger memoryBytes."],
    },
  );
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT when a dtype cannot be scanned */
export function checkScanDType(dtype: ScanDType): void {
  if (SCAN_DTYPES.includes(dtype)) return;
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `Elements of dtype ${dtype} cannot be scanned; these can: ${SCAN_DTYPES.join(", ")}.`,
    {
      details: { dtype },
    },
  );
}

/** @throws {CheckpointConfigError} INVALID_ARGUMENT unless the bytes are whole elements */
export function checkWholeElements(dtype: ScanDType | CastDType, bytes: Bytes): void {
  const itemBytes = DTYPES[dtype].bits / 8;
  if (bytes.length % itemBytes === 0) return;
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `${bytes.length} bytes are no whole number of ${dtype} elements, which have ${itemBytes} bytes each.`,
    { details: { dtype, byteLength: bytes.length, itemBytes }, suggestions: ["Cut the data at multiples of the element size."] },
  );
}

/**
 * Checks a search in whole elements that starts `from` bytes after their start.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 */
export function checkSearch(dtype: ScanDType, bytes: Bytes, from: number): void {
  checkScanDType(dtype);
  checkWholeElements(dtype, bytes);
  const numberBytes = DTYPES[dtype].bits / (dtype === "C64" ? 16 : 8);
  if (Number.isSafeInteger(from) && from >= 0 && from % numberBytes === 0) return;
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `A search was to start at byte ${from}; it can start where a number does: at multiples of ${numberBytes} for ${dtype}.`,
    { details: { dtype, from, numberBytes } },
  );
}

/** Checks a cast; returns how many bytes it writes. @throws {CheckpointConfigError} INVALID_ARGUMENT */
export function checkCast(from: CastDType, to: CastDType, source: Bytes, target: Bytes): number {
  for (const dtype of [from, to]) {
    if (CAST_DTYPES.includes(dtype)) continue;
    throw new CheckpointConfigError(
      "INVALID_ARGUMENT",
      `Elements of dtype ${dtype} cannot be cast; these can: ${CAST_DTYPES.join(", ")}.`,
      {
        details: { dtype },
      },
    );
  }
  checkWholeElements(from, source);
  const byteLength = (source.length / DTYPES[from].bits) * DTYPES[to].bits;
  if (byteLength > target.length) {
    throw new CheckpointConfigError(
      "INVALID_ARGUMENT",
      `A cast of ${source.length} bytes from ${from} to ${to} writes ${byteLength} bytes, but the target has ${target.length}.`,
      { details: { from, to, byteLength, targetBytes: target.length } },
    );
  }
  const apart = source.byteOffset + source.length <= target.byteOffset || target.byteOffset + byteLength <= source.byteOffset;
  if (source.buffer === target.buffer && !apart && byteLength > 0) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", "Source and target of a cast overlap.", {
      suggestions: ["Cast into another buffer."],
    });
  }
  return byteLength;
}

/** The error of a scanner or hasher that is used after its `free`. */
export function usedAfterFree(what: string): CheckpointError {
  return new CheckpointError("INTERNAL", `This ${what} was used after it had been freed.`, {
    suggestions: [`Call free last, and ask for a new ${what}.`],
  });
}
