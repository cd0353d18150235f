import { type Bytes, CheckpointConfigError, DTYPES, type SignalOptions, type TensorHandle } from "@ckptkit/core";
import { decodeNumbers } from "@ckptkit/wasm/js";
import { ElementReader } from "./element-reader.js";

/** A number as JSON can hold it exactly: "NaN", "Infinity", "-Infinity" and "-0" are text, and so are integers beyond 2^53 - 1. */
export type ExactNumber = number | string;

/** One element: a number, a truth value, or the two parts of a complex number or a pair. */
export type TensorValue = ExactNumber | boolean | [ExactNumber, ExactNumber];

/** Some elements of a tensor, in row-major order. */
export interface TensorValues {
  path: string;
  dtype: string;
  shape: readonly number[];
  /** Place of the first of them. */
  start: number;
  /** Elements of the whole tensor. */
  count: number;
  values: TensorValue[];
  /** The integers that are stored, where `values` are what they stand for. */
  stored?: number[];
  /** Bytes of the file that were read. */
  bytesRead: number;
}

/** Which elements to read. */
export interface ReadValuesOptions extends SignalOptions {
  /** Row-major place of the first one. Default 0. */
  start?: number | undefined;
  /** How many at the most. Default 100; a million at the most. */
  count?: number | undefined;
}

const USUAL_COUNT = 100;
const MOST = 1_000_000;

/**
 * Reads some of a tensor's elements as exact values: what is stored, not rounded. Quantised integers are given as the real numbers
 * they stand for.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE
 * @throws {CheckpointLoadError} NO_TENSORS when the tensor has no bytes in the file
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 * @example const { values } = await readTensorValues(tensor, { count: 10 });
 */
export async function readTensorValues(tensor: TensorHandle, options: ReadValuesOptions = {}): Promise<TensorValues> {
  const { path, dtype, shape, elementCount } = tensor;
  const start = checkCount("start", options.start ?? 0, elementCount);
  const count = Math.min(checkCount("count", options.count ?? USUAL_COUNT, MOST), elementCount - start);
  const reader = await ElementReader.open(tensor, options);
  const result: TensorValues = { path, dtype, shape, start, count: elementCount, values: [], bytesRead: 0 };
  if (count > 0) {
    const { bytes, skip } = await reader.bytesOfRange(start, count, options);
    result.values = valuesOf(reader, bytes, skip, start, count);
    if (tensor.spec.quantization) {
      result.stored = [...decodeNumbers(reader.dtype, bytes, new Float64Array(skip + count)).subarray(skip)];
    }
  }
  result.bytesRead = reader.bytesRead;
  return result;
}

function checkCount(name: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new CheckpointConfigError("INVALID_ARGUMENT", `${name} is ${value}: a whole number from 0 to ${most} was expected.`, {
    details: { [name]: value, most },
  });
}

function valuesOf(reader: ElementReader, bytes: Bytes, skip: number, start: number, count: number): TensorValue[] {
  const { dtype, width } = reader;
  if (dtype === "I64" || dtype === "U64") {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, i) =>
      exactInteger(dtype === "I64" ? view.getBigInt64(8 * i, true) : view.getBigUint64(8 * i, true)),
    );
  }
  const numbers = reader.decode(bytes, skip + count, start - skip).subarray(skip * width);
  if (DTYPES[dtype].kind === "bool") return Array.from(numbers, (number) => number !== 0);
  if (width === 1) return Array.from(numbers, exactNumber);
  return Array.from({ length: count }, (_, i) => [exactNumber(numbers[2 * i] ?? 0), exactNumber(numbers[2 * i + 1] ?? 0)]);
}

/** A number as JSON can hold it exactly. */
export const exactNumber = (number: number): ExactNumber =>
  Object.is(number, -0) ? "-0" : Number.isFinite(number) ? number : String(number);

const exactInteger = (integer: bigint): ExactNumber => {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : String(integer);
};
