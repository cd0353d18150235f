import {
  type Bytes,
  bitsOf,
  CheckpointValidationError,
  contiguousStrides,
  decodedTensor,
  type Kernels,
  type NonFinite,
  nonFiniteAt,
  type SignalOptions,
  type TensorHandle,
} from "@ckptkit/core";
import { scannedAs } from "./scanned-as.js";

/** Where a NaN or an infinity stands. */
export interface NonFinitePlace {
  /** Index of the element, row-major. */
  index: number;
  /** The same by axis; empty for a 0-d tensor. */
  indices: number[];
  value: NonFinite;
}

/** Where to look, and for how many. */
export interface FindNonFiniteOptions extends SignalOptions {
  kernels: Kernels;
  /** Places to find at most (100). */
  limit?: number | undefined;
  /** Index of the element to begin with (0): `firstNonFinite` of the tensor's {@link ScanRow} saves reading what comes before. */
  from?: number | undefined;
}

/** Bytes that are read and looked at together. */
const LOOK_BYTES = 1024 * 1024;

/**
 * The places of the NaNs and infinities of a tensor, in row-major order. Of a complex element both numbers are looked at, and the first
 * that is not finite is told.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE when the dtype's values cannot be scanned
 * @throws what reading the tensor throws
 * @example
 * const [first] = await findNonFinite(tensor, { kernels, limit: 1 });
 * first // { index: 1_283, indices: [2, 3], value: "nan" }
 */
export async function findNonFinite(given: TensorHandle, options: FindNonFiniteOptions): Promise<NonFinitePlace[]> {
  const { kernels, limit = 100, from = 0, signal } = options;
  const tensor = decodedTensor(given);
  const dtype = scannedAs(tensor.dtype);
  if (!dtype) {
    throw new CheckpointValidationError("UNSUPPORTED_DTYPE", `Values of ${tensor.dtype} cannot be scanned for NaN and Inf.`, {
      details: { path: tensor.path, dtype: tensor.dtype },
    });
  }
  const itemBytes = bitsOf(tensor.spec) / 8;
  const places: NonFinitePlace[] = [];
  const buffer = kernels.allocate(LOOK_BYTES);
  try {
    for await (const { bytes, start } of piecesFrom(tensor, from * itemBytes, buffer.bytes, { signal })) {
      for (let at = kernels.nextNonFinite(dtype, bytes); at >= 0 && places.length < limit; ) {
        const element = Math.floor(at / itemBytes);
        const index = start / itemBytes + element;
        places.push({ index, indices: byAxis(index, tensor.shape), value: nonFiniteAt(dtype, bytes, at) });
        at = kernels.nextNonFinite(dtype, bytes, (element + 1) * itemBytes);
      }
      if (places.length >= limit) break;
    }
    return places;
  } finally {
    buffer.free();
  }
}

/** The tensor's bytes from `from` on, piece by piece, and where each piece begins. */
async function* piecesFrom(
  tensor: TensorHandle,
  from: number,
  buffer: Bytes,
  options: SignalOptions,
): AsyncGenerator<{ bytes: Bytes; start: number }, void, void> {
  if (tensor.contiguous) {
    for (let start = from; start < tensor.byteLength; start += buffer.length) {
      const bytes = buffer.subarray(0, Math.min(buffer.length, tensor.byteLength - start));
      await tensor.readInto(bytes, start, options);
      yield { bytes, start };
    }
    return;
  }
  // A part of a strided tensor costs about as much as all that comes before it.
  let start = 0;
  for await (const bytes of tensor.chunks(buffer, options)) {
    const skip = Math.max(0, from - start);
    if (skip < bytes.length) yield { bytes: bytes.subarray(skip), start: start + skip };
    start += bytes.length;
  }
}

function byAxis(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return contiguousStrides(shape).map((stride) => {
    const at = Math.floor(rest / stride);
    rest -= at * stride;
    return at;
  });
}
