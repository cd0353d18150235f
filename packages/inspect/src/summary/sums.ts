import type { TensorGroup, TensorHandle } from "@ckptkit/core";
import { TieGroups } from "../tie-groups.js";

/** How much some tensors amount to. */
export interface TensorSum {
  /** Every reference to a tensor. */
  tensors: number;
  /** Elements; tied tensors count once. */
  parameters: number;
  /** Bytes of the contiguous form; tied tensors count once. */
  byteLength: number;
}

/** The sum of one dtype. */
export interface DTypeSum extends TensorSum {
  dtype: string;
}

/** The sum of one group, and of its dtypes, the largest first. */
export interface GroupSum extends TensorSum {
  group: TensorGroup;
  dtypes: DTypeSum[];
}

/** Sums over all tensors of a checkpoint. */
export interface TensorSums extends TensorSum {
  /** The largest first. */
  byDType: DTypeSum[];
  /** In the order model, optimizer, other; those that there are. */
  byGroup: GroupSum[];
  /** Paths of tensors that are the same view of the same bytes, two or more each. */
  ties: string[][];
  /** The largest tensors, tied ones once. */
  largest: {
    path: string;
    name: string;
    group: TensorGroup;
    dtype: string;
    shape: readonly number[];
    parameters: number;
    byteLength: number;
  }[];
}

const GROUPS: readonly TensorGroup[] = ["model", "optimizer", "other"];
const LARGEST = 10;

const empty = (): TensorSum => ({ tensors: 0, parameters: 0, byteLength: 0 });

/**
 * Adds up tensors by dtype and by group. Reads nothing. A tie within one group counts once there; one between groups counts where
 * it stands first.
 */
export function sumTensors(tensors: readonly TensorHandle[]): TensorSums {
  const total = empty();
  const byDType = new Map<string, TensorSum>();
  const byGroup = new Map<TensorGroup, { sum: TensorSum; dtypes: Map<string, TensorSum> }>();
  const ties = new TieGroups();
  const largest: TensorHandle[] = [];
  for (const tensor of tensors) {
    const isFirst = ties.add(tensor);
    if (isFirst) keepLargest(largest, tensor);
    const group = getOrMake(byGroup, tensor.group, () => ({ sum: empty(), dtypes: new Map<string, TensorSum>() }));
    const sums = [total, getOrMake(byDType, tensor.dtype, empty), group.sum, getOrMake(group.dtypes, tensor.dtype, empty)];
    for (const sum of sums) {
      sum.tensors++;
      if (!isFirst) continue;
      sum.parameters += tensor.elementCount;
      sum.byteLength += tensor.byteLength;
    }
  }
  return {
    ...total,
    byDType: dtypeSums(byDType),
    byGroup: GROUPS.flatMap((group) => {
      const found = byGroup.get(group);
      return found ? [{ group, ...found.sum, dtypes: dtypeSums(found.dtypes) }] : [];
    }),
    ties: ties.groups().map((same) => same.map(({ path }) => path)),
    largest: largest.map(({ path, name, group, dtype, shape, elementCount, byteLength }) => ({
      path,
      name,
      group,
      dtype,
      shape,
      parameters: elementCount,
      byteLength,
    })),
  };
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

const dtypeSums = (sums: ReadonlyMap<string, TensorSum>): DTypeSum[] =>
  [...sums].map(([dtype, sum]) => ({ dtype, ...sum })).sort((a, b) => b.byteLength - a.byteLength);

/** Keeps the largest tensors, the largest first; of equal ones those that came first. */
function keepLargest(largest: TensorHandle[], tensor: TensorHandle): void {
  const last = largest[LARGEST - 1];
  if (last && tensor.byteLength <= last.byteLength) return;
  const at = largest.findIndex(({ byteLength }) => byteLength < tensor.byteLength);
  largest.splice(at < 0 ? largest.length : at, 0, tensor);
  largest.length = Math.min(largest.length, LARGEST);
}
