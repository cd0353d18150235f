import {
  type ByteSource,
  CheckpointValidationError,
  countElements,
  DTYPES,
  isDType,
  Storage,
  type TensorData,
  TensorHandle,
} from "@ckptkit/core";

const wrapped = new WeakMap<TensorData, TensorHandle>();
let storages = 0;

/**
 * A tensor as views can be taken of it: one that is computed looks like a file from which its bytes are read. The same tensor
 * gives the same handle, so that tied tensors are still seen to be tied.
 */
export function asHandle(tensor: TensorData, name = "tensor"): TensorHandle {
  if (tensor instanceof TensorHandle) return tensor;
  const known = wrapped.get(tensor);
  if (known) return known;
  const { dtype, shape, byteLength } = tensor;
  const elements = countElements(shape);
  const bits = isDType(dtype) || elements === 0 ? {} : { bits: (byteLength * 8) / elements };
  const storage = new Storage({ id: `computed-${storages++}`, bytes: bytesOf(tensor, name) });
  const handle = new TensorHandle({ dtype, shape, storage, byteOffset: 0, ...bits }, { keys: [name], name, group: "model" });
  wrapped.set(tensor, handle);
  return handle;
}

function bytesOf(tensor: TensorData, name: string): ByteSource {
  return {
    size: tensor.byteLength,
    name,
    async read(start, end, options) {
      const bytes = new Uint8Array(end - start);
      await tensor.readInto(bytes, start, options);
      return bytes;
    },
    readInto: (target, start, options) => tensor.readInto(target, start, options),
  };
}

/**
 * The part [start, end) of a tensor along an axis. Nothing is copied: it is another view of the same bytes.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE for elements that are not whole bytes
 * @example const query = sliceTensor(qkv, 0, 0, 768);
 */
export function sliceTensor(tensor: TensorData, axis: number, start: number, end: number): TensorHandle {
  const { spec, strides, name } = viewable(tensor);
  const shape = spec.shape.map((size, at) => (at === axis ? end - start : size));
  const byteOffset = spec.byteOffset + start * (strides[axis] ?? 0) * itemBytesOf(spec.dtype);
  return new TensorHandle({ ...spec, shape, strides, byteOffset }, { keys: [name], name, group: "model" });
}

/**
 * A tensor with its axes in another order: `axes[i]` is the axis that becomes axis i. Nothing is copied.
 *
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE for elements that are not whole bytes
 * @example const transposed = permuteTensor(weight, [1, 0]);
 */
export function permuteTensor(tensor: TensorData, axes: readonly number[]): TensorHandle {
  const { spec, strides, name } = viewable(tensor);
  return new TensorHandle(
    { ...spec, shape: axes.map((axis) => spec.shape[axis] ?? 1), strides: axes.map((axis) => strides[axis] ?? 1) },
    { keys: [name], name, group: "model" },
  );
}

/** @throws {CheckpointValidationError} UNSUPPORTED_DTYPE */
function viewable(tensor: TensorData): TensorHandle {
  const handle = asHandle(tensor);
  const { dtype, quantization } = handle.spec;
  if (quantization === undefined && Number.isInteger(itemBytesOf(dtype))) return handle;
  throw new CheckpointValidationError(
    "UNSUPPORTED_DTYPE",
    `A tensor of ${quantization ? "quantised " : ""}${dtype} elements cannot be split, merged or transposed.`,
    { details: { dtype, shape: handle.shape } },
  );
}

/** Bytes of one element; not a whole number for dtypes that pack several in a byte, or whose size is not known. */
export function itemBytesOf(dtype: string): number {
  return isDType(dtype) ? DTYPES[dtype].bits / 8 : Number.NaN;
}
