import { bitsOf, reachOf, type Storage, type TensorHandle } from "@ckptkit/core";

/** How much of the storages in a file its tensors use. */
export interface StorageUse {
  /** Storages that tensors are views of. */
  count: number;
  /** Bytes of all of them. */
  byteLength: number;
  /** Bytes that at least one tensor shows; where several views share a storage, all from the first to the last element of each. */
  usedBytes: number;
  /** Bytes that no tensor shows: left by views that were saved with the whole of a larger tensor. */
  unusedBytes: number;
  /** The storages with the most unused bytes, and one tensor of each. */
  unused: { id: string; path: string; byteLength: number; unusedBytes: number }[];
  /** Storages that tensors share, as ties or as different views. */
  shared: number;
}

const LISTED = 20;

/**
 * Measures how much of their storages the tensors use. Reads nothing.
 *
 * @example storageUse(checkpoint.tensors).unusedBytes // what a copy of the tensors alone would save
 */
export function storageUse(tensors: readonly TensorHandle[]): StorageUse {
  const users = new Map<Storage, TensorHandle | TensorHandle[]>();
  for (const tensor of tensors) {
    if (!tensor.storage) continue;
    const known = users.get(tensor.storage);
    if (known === undefined) users.set(tensor.storage, tensor);
    else if (Array.isArray(known)) known.push(tensor);
    else users.set(tensor.storage, [known, tensor]);
  }
  const use: StorageUse = { count: users.size, byteLength: 0, usedBytes: 0, unusedBytes: 0, unused: [], shared: 0 };
  for (const [storage, known] of users) {
    const views = Array.isArray(known) ? known : [known];
    const usedBytes = usedOf(views);
    const unusedBytes = Math.max(0, storage.byteLength - usedBytes);
    use.byteLength += storage.byteLength;
    use.usedBytes += usedBytes;
    use.unusedBytes += unusedBytes;
    if (views.length > 1) use.shared++;
    if (unusedBytes > 0) use.unused.push({ id: storage.id, path: views[0]?.path ?? "", byteLength: storage.byteLength, unusedBytes });
  }
  use.unused.sort((a, b) => b.unusedBytes - a.unusedBytes);
  use.unused.length = Math.min(use.unused.length, LISTED);
  return use;
}

function usedOf(views: readonly TensorHandle[]): number {
  const [only] = views;
  if (views.length === 1 && only) return Math.min(distinctBytes(only), reachBytes(only));
  const runs = views.map((view) => [view.spec.byteOffset, view.spec.byteOffset + reachBytes(view)] as const).sort((a, b) => a[0] - b[0]);
  let used = 0;
  let end = 0;
  for (const [from, to] of runs) {
    used += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return used;
}

/** Bytes from a view's first element to its last. */
const reachBytes = ({ spec, shape, strides }: TensorHandle): number => Math.ceil((reachOf(shape, strides) * bitsOf(spec)) / 8);

/** Bytes of a view's elements, where those of axes without a stride count once. */
function distinctBytes({ spec, shape, strides }: TensorHandle): number {
  const elements = shape.reduce((product, size, axis) => product * (strides[axis] === 0 ? Math.min(1, size) : size), 1);
  return Math.ceil((elements * bitsOf(spec)) / 8);
}
