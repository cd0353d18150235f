import type { Storage, TensorSpec } from "@ckptkit/core";

/**
 * Makes keys that are equal for views of the same bytes in the same way: tied tensors, which need to be read, scanned or
 * stored only once.
 */
export function tieKeys(): (spec: TensorSpec) => string {
  const numbers = new Map<Storage, number>();
  let unbound = 0;
  return (spec) => {
    if (!spec.storage) return `none:${unbound++}`;
    let number = numbers.get(spec.storage);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(spec.storage, number);
    }
    return [number, spec.byteOffset, spec.dtype, spec.shape.join("x"), spec.strides?.join("x") ?? "", spec.conj ?? "", spec.neg ?? ""].join(
      "/",
    );
  };
}
