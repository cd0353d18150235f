import { CheckpointLoadError } from "./errors.js";

/**
 * The product of a shape, exact. A 0-d tensor (shape []) has one element.
 *
 * @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS when a size is negative or not an integer, or the product is over 2^53 - 1.
 * @example countElements([2, 3]) // 6
 */
export function countElements(shape: readonly number[]): number {
  let count = 1;
  let empty = false;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) throw badShape(shape, `size ${size}`);
    if (size === 0) empty = true;
    else count *= size;
    if (!Number.isSafeInteger(count)) throw badShape(shape, "more than 2^53 - 1 elements");
  }
  return empty ? 0 : count;
}

function badShape(shape: readonly number[], why: string): CheckpointLoadError {
  return new CheckpointLoadError("TENSOR_OUT_OF_BOUNDS", `A tensor declares the shape [${shape.slice(0, 16).join(", ")}]: ${why}.`, {
    details: { shape: shape.slice(0, 64) },
  });
}

/** Row-major strides of a shape, in elements. `contiguousStrides([2, 3])` is `[3, 1]`. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= Math.max(1, shape[axis] ?? 1);
  }
  return strides;
}

/** Whether the strides (elements) walk the shape in row-major order without gaps. Axes of size 1 may have any stride. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size === 0) return true;
    if (size !== 1 && strides[axis] !== step) return false;
    step *= size;
  }
  return true;
}

/**
 * How many elements of its storage a strided view reaches over, from its first element to its last: 0 for an empty view.
 *
 * @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS when a stride is negative, not an integer, or the reach is over 2^53 - 1.
 */
export function reachOf(shape: readonly number[], strides: readonly number[]): number {
  if (countElements(shape) === 0) return 0;
  let last = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const stride = strides[axis] ?? Number.NaN;
    if (!Number.isSafeInteger(stride) || stride < 0) throw badShape(shape, `stride ${stride}`);
    last += ((shape[axis] ?? 1) - 1) * stride;
    if (!Number.isSafeInteger(last)) throw badShape(shape, "strides beyond 2^53 - 1 elements");
  }
  return last + 1;
}
