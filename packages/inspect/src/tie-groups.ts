import type { Storage, TensorHandle } from "@ckptkit/core";
import { tieKeys } from "./tie-key.js";

/** Finds tied tensors as they go by. Only those that share a storage are looked at closely: most of a large checkpoint's do not. */
export class TieGroups {
  readonly #byStorage = new Map<Storage, TensorHandle | Map<string, TensorHandle[]>>();
  readonly #keyOf = tieKeys();

  /** Takes note of a tensor; returns whether it is the first of its bytes. */
  add(tensor: TensorHandle): boolean {
    const { storage } = tensor;
    if (!storage) return true;
    let known = this.#byStorage.get(storage);
    if (known === undefined) {
      this.#byStorage.set(storage, tensor);
      return true;
    }
    if (!(known instanceof Map)) {
      known = new Map([[this.#keyOf(known.spec), [known]]]);
      this.#byStorage.set(storage, known);
    }
    const key = this.#keyOf(tensor.spec);
    const same = known.get(key);
    if (same) same.push(tensor);
    else known.set(key, [tensor]);
    return same === undefined;
  }

  /** Groups of tied tensors, two or more each, in the order of the file. */
  groups(): TensorHandle[][] {
    return [...this.#byStorage.values()].flatMap((known) =>
      known instanceof Map ? [...known.values()].filter((same) => same.length > 1) : [],
    );
  }
}
