import { type Bytes, contiguousStrides } from "@ckptkit/core";

/**
 * Puts the elements of a chunk into row-major order.
 *
 * @param shape of the chunk as it is wanted
 * @param order for each axis of the stored chunk, the axis that it is
 */
export function untransposed(bytes: Bytes, shape: readonly number[], order: readonly number[], itemBytes: number): Bytes {
  const stored = contiguousStrides(order.map((axis) => shape[axis] ?? 1));
  // Bytes between neighbours along each axis of the wanted chunk, in the stored one.
  const strides = shape.map((_, axis) => (stored[order.indexOf(axis)] ?? 0) * itemBytes);
  const plain = new Uint8Array(bytes.length);
  const steps = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < plain.length; to += itemBytes) {
    for (let byte = 0; byte < itemBytes; byte++) plain[to + byte] = bytes[from + byte] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0;
      const step = (steps[axis] ?? 0) + 1;
      from += stride;
      if (step < (shape[axis] ?? 1)) {
        steps[axis] = step;
        break;
      }
      steps[axis] = 0;
      from -= step * stride;
    }
  }
  return plain;
}
