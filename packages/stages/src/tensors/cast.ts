import { type Bytes, CAST_DTYPES, type CastDType, countElements, DTYPES, type Kernels, type TensorData } from "@ckptkit/core";
import { jsKernels } from "@ckptkit/wasm/js";
import { checkTensorRange } from "./tensor-range.js";

/** Bytes that are read at a time. */
const PIECE_BYTES = 1024 * 1024;

/** Integers and booleans, which convert into each other as C casts do. */
const WHOLE_DTYPES = ["BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64"] as const;
type WholeDType = (typeof WHOLE_DTYPES)[number];

const isCast = (dtype: string): dtype is CastDType => (CAST_DTYPES as readonly string[]).includes(dtype);
const isWhole = (dtype: string): dtype is WholeDType => (WHOLE_DTYPES as readonly string[]).includes(dtype);

/** Whether {@link castTensor} can turn one dtype into another: floats into floats, and integers and booleans into each other. */
export function canCast(from: string, to: string): boolean {
  return from === to || (isCast(from) && isCast(to)) || (isWhole(from) && isWhole(to));
}

/**
 * A tensor in another dtype, converted when it is read. Floats are rounded to nearest even, integers wrap, and what is not 0 is
 * true: as torch's `copy_` does.
 *
 * @returns the tensor itself when it has the dtype already; undefined when {@link canCast} says no.
 * @example const half = castTensor(weights, "F16");
 */
export function castTensor(tensor: TensorData, to: string, kernels: Pick<Kernels, "cast"> = jsKernels()): TensorData | undefined {
  const { dtype: from, shape } = tensor;
  if (from === to) return tensor;
  if (isCast(from) && isCast(to)) return converted(tensor, to, (source, target) => void kernels.cast(from, to, source, target));
  if (isWhole(from) && isWhole(to)) return converted(tensor, to, (source, target) => convertWhole(from, to, source, target));
  return undefined;

  function converted(inner: TensorData, dtype: CastDType | WholeDType, convert: (source: Bytes, target: Bytes) => void): TensorData {
    const toBytes = DTYPES[dtype].bits / 8;
    const elements = countElements(shape);
    const fromBytes = elements === 0 ? 1 : inner.byteLength / elements;
    const result: TensorData = {
      dtype,
      shape,
      byteLength: elements * toBytes,
      async readInto(target, start = 0, options) {
        checkTensorRange(result, target, start);
        const step = Math.floor(PIECE_BYTES / fromBytes);
        const first = start / toBytes;
        const count = target.length / toBytes;
        const buffer = new Uint8Array(Math.min(count, step) * fromBytes);
        for (let at = 0; at < count; at += step) {
          const take = Math.min(step, count - at);
          const source = buffer.subarray(0, take * fromBytes);
          await inner.readInto(source, (first + at) * fromBytes, options);
          convert(source, target.subarray(at * toBytes, (at + take) * toBytes));
        }
      },
    };
    return result;
  }
}

/** Two's complement: the low bytes stay, and a negative number goes on with ones. */
function convertWhole(from: WholeDType, to: WholeDType, source: Bytes, target: Bytes): void {
  const fromBytes = DTYPES[from].bits / 8;
  const toBytes = DTYPES[to].bits / 8;
  const signed = DTYPES[from].kind === "int";
  const shared = Math.min(fromBytes, toBytes);
  for (let read = 0, write = 0; read < source.length; read += fromBytes, write += toBytes) {
    if (to === "BOOL" || from === "BOOL") {
      target.fill(0, write, write + toBytes);
      target[write] = source.subarray(read, read + fromBytes).some((byte) => byte !== 0) ? 1 : 0;
      continue;
    }
    const negative = signed && (source[read + fromBytes - 1] ?? 0) > 127;
    for (let byte = 0; byte < shared; byte++) target[write + byte] = source[read + byte] ?? 0;
    target.fill(negative ? 255 : 0, write + shared, write + toBytes);
  }
}
