import { type Bytes, CheckpointError, countElements, DTYPES, isDType, type TensorData } from "@ckptkit/core";

/**
 * Throws unless a read stays within a tensor and at element boundaries: what the `readInto` of a computed tensor calls first.
 *
 * @throws {CheckpointError} OUT_OF_RANGE, INVALID_ARGUMENT
 */
export function checkTensorRange(tensor: Pick<TensorData, "dtype" | "byteLength">, target: Bytes, start: number): void {
  const end = start + target.length;
  if (!Number.isSafeInteger(start) || start < 0 || end > tensor.byteLength) {
    throw new CheckpointError("OUT_OF_RANGE", `Bytes [${start}, ${end}) of a tensor were asked for, but it has ${tensor.byteLength}.`, {
      details: { start, end, byteLength: tensor.byteLength },
    });
  }
  const itemBytes = isDType(tensor.dtype) ? DTYPES[tensor.dtype].bits / 8 : 1;
  if (itemBytes <= 1 || (start % itemBytes === 0 && target.length % itemBytes === 0)) return;
  throw new CheckpointError(
    "INVALID_ARGUMENT",
    `Bytes [${start}, ${end}) of a tensor cut through its elements: ${itemBytes} bytes belong together.`,
    { details: { start, end, itemBytes } },
  );
}

/**
 * Bytes of the contiguous form of a tensor.
 *
 * @throws {CheckpointError} UNSUPPORTED_DTYPE when the size of its elements is not known
 * @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS for an impossible shape
 */
export function bytesOf(dtype: string, shape: readonly number[]): number {
  if (!isDType(dtype)) {
    throw new CheckpointError("UNSUPPORTED_DTYPE", `The size of an element of ${JSON.stringify(dtype)} is not known.`, {
      details: { dtype },
      suggestions: [`Known are ${Object.keys(DTYPES).join(", ")}.`],
    });
  }
  return Math.ceil((countElements(shape) * DTYPES[dtype].bits) / 8);
}
