import type { TensorGroup, TensorHandle } from "@ckptkit/core";

/** The groups of tensors, by their numbers in {@link TensorColumns}. */
export const GROUPS: readonly TensorGroup[] = ["model", "optimizer", "other"];

/**
 * What tables, trees and filters ask of every tensor, as columns: half a million tensors are filtered and sorted by passes over
 * arrays of numbers. Tensors are named by their place in the checkpoint.
 */
export class TensorColumns {
  readonly tensors: readonly TensorHandle[];
  /** Dotted path from the root. */
  readonly paths: readonly string[];
  /** The dtypes that occur, in the order of their first tensor. */
  readonly dtypes: readonly string[];
  /** Place in `dtypes`. */
  readonly dtypeOf: Uint16Array;
  /** Place in {@link GROUPS}. */
  readonly groupOf: Uint8Array;
  /** Elements. */
  readonly params: Float64Array;
  /** Bytes of the contiguous form. */
  readonly bytes: Float64Array;

  constructor(tensors: readonly TensorHandle[]) {
    const count = tensors.length;
    const paths = new Array<string>(count);
    const numbers = new Map<string, number>();
    this.tensors = tensors;
    this.dtypeOf = new Uint16Array(count);
    this.groupOf = new Uint8Array(count);
    this.params = new Float64Array(count);
    this.bytes = new Float64Array(count);
    for (const [index, tensor] of tensors.entries()) {
      let number = numbers.get(tensor.dtype);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(tensor.dtype, number);
      }
      paths[index] = tensor.path;
      this.dtypeOf[index] = number;
      this.groupOf[index] = GROUPS.indexOf(tensor.group);
      this.params[index] = tensor.elementCount;
      this.bytes[index] = tensor.byteLength;
    }
    this.paths = paths;
    this.dtypes = [...numbers.keys()];
  }

  get count(): number {
    return this.tensors.length;
  }

  path(tensor: number): string {
    return this.paths[tensor] ?? "";
  }
}
