import type { ScanNode } from "@ckptkit/core";

/** Units for numbers whose squares stay in range, for larger ones and for smaller ones. */
export const UNIT = 1;
export const UNIT_OF_HUGE = 2 ** -540;
export const UNIT_OF_TINY = 2 ** 600;

export const EMPTY_NODE: ScanNode = { k: 0, mean: 0, squares: 0, n: 0, unit: UNIT };

/** The node of n numbers from the sum of x * unit - k and the sum of its squares. */
export function makeNode(k: number | bigint, n: number, sum: number, square: number, unit: number): ScanNode {
  const mean = n > 0 ? sum / n : 0;
  return { k, mean, squares: Math.max(square - sum * mean, 0), n, unit };
}

function rescale(node: ScanNode, unit: number): ScanNode {
  const factor = unit / node.unit;
  return { ...node, k: Number(node.k) * factor, mean: node.mean * factor, squares: node.squares * factor * factor, unit };
}

/** right - left; exact for bigints, then rounded once. */
function distance(left: number | bigint, right: number | bigint): number {
  return typeof left === "bigint" && typeof right === "bigint" ? Number(right - left) : Number(right) - Number(left);
}

/** The node of two neighbours' numbers together (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979). */
export function mergeNodes(left: ScanNode, right: ScanNode): ScanNode {
  if (right.n === 0) return left;
  if (left.n === 0) return right;
  if (left.unit !== right.unit) {
    const unit = Math.min(left.unit, right.unit);
    return mergeNodes(rescale(left, unit), rescale(right, unit));
  }
  const n = left.n + right.n;
  const delta = distance(left.k, right.k) + (right.mean - left.mean);
  return {
    k: left.k,
    mean: left.mean + delta * (right.n / n),
    squares: left.squares + right.squares + delta * delta * ((left.n * right.n) / n),
    n,
    unit: left.unit,
  };
}

/**
 * Nodes of blocks, merged two and two as the digits of a binary counter: the result depends on the blocks alone, and its error
 * grows with the logarithm of their number.
 */
export class ScanTree {
  /** By level: the node of 2^level blocks that waits for its right neighbour. */
  readonly #waiting: (ScanNode | undefined)[] = [];

  push(node: ScanNode): void {
    let merged = node;
    let level = 0;
    for (let left = this.#waiting[level]; left; left = this.#waiting[level]) {
      merged = mergeNodes(left, merged);
      this.#waiting[level++] = undefined;
    }
    this.#waiting[level] = merged;
  }

  /** The node of all numbers pushed and those of one more, last block. */
  finish(last: ScanNode): ScanNode {
    return this.#waiting.reduce<ScanNode>((node, left) => (left ? mergeNodes(left, node) : node), last);
  }
}
