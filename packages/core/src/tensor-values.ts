import type { Bytes } from "./byte-source.js";
import { DTYPES, type DType, isDType } from "./dtype.js";
import { CheckpointLoadError } from "./errors.js";
import type { TensorSpec } from "./tensor.js";

/**
 * Dtypes whose numbers are negated by their top bit alone. The others are integers, have no negative numbers, or (the `fnuz`
 * kinds) use the pattern of a negative zero for NaN.
 */
const SIGN_BIT = new Set<DType>(["F8_E5M2", "F8_E4M3", "F16", "BF16", "F32", "F64", "C32", "C64", "C128"]);

/**
 * Turns the stored bytes of whole elements into the tensor's own, in place: byte order first, then negated and conjugated views.
 *
 * @throws {CheckpointLoadError} UNSUPPORTED_DTYPE for a negated view of a dtype that has no negative numbers.
 */
export function toTensorValues(spec: TensorSpec, bytes: Bytes): void {
  const { dtype } = spec;
  if (!isDType(dtype)) return;
  const { swapBytes, kind } = DTYPES[dtype];
  if (spec.storage?.bigEndian && swapBytes > 1) reverseEach(bytes, swapBytes);
  if (spec.neg) {
    if (SIGN_BIT.has(dtype)) flipSigns(bytes, swapBytes, 0, swapBytes);
    else if (kind === "int" || kind === "uint") negateIntegers(bytes, swapBytes);
    else {
      throw new CheckpointLoadError("UNSUPPORTED_DTYPE", `A tensor is stored as the negative of ${dtype} values.`, {
        details: { dtype },
      });
    }
  }
  if (spec.conj && kind === "complex") flipSigns(bytes, 2 * swapBytes, swapBytes, swapBytes);
}

function reverseEach(bytes: Bytes, size: number): void {
  for (let at = 0; at < bytes.length; at += size) {
    for (let low = at, high = at + size - 1; low < high; low++, high--) {
      const byte = bytes[low] ?? 0;
      bytes[low] = bytes[high] ?? 0;
      bytes[high] = byte;
    }
  }
}

/** Flips the top bit of the little-endian number of `size` bytes at `first` and every `step` bytes from there. */
function flipSigns(bytes: Bytes, step: number, first: number, size: number): void {
  for (let at = first + size - 1; at < bytes.length; at += step) bytes[at] = (bytes[at] ?? 0) ^ 0x80;
}

/** Two's complement of little-endian integers; unsigned ones and the smallest signed one wrap, as torch's `neg` does. */
function negateIntegers(bytes: Bytes, size: number): void {
  for (let at = 0; at < bytes.length; at += size) {
    let carry = 1;
    for (let byte = at; byte < at + size; byte++) {
      const sum = 255 - (bytes[byte] ?? 0) + carry;
      bytes[byte] = sum % 256;
      carry = sum > 255 ? 1 : 0;
    }
  }
}
