import { countElements, type Finding, type Limits } from "@ckptkit/core";
import { quoted } from "../quoted.js";
import type { DcpChunk, DcpTensor } from "./metadata.js";

/** The chunks of a tensor that count, and whether any two of them overlap. */
export interface Coverage {
  readonly chunks: readonly DcpChunk[];
  readonly disjoint: boolean;
}

/**
 * Checks whether chunks fill their tensors: within their bounds, without holes and overlaps. Remembers what that has cost, so
 * that hostile metadata cannot make it take for ever.
 */
export class CoverageCheck {
  readonly #limits: Limits;
  #steps = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @param findings gets `dcp-chunk-bounds`, `dcp-overlap`, `dcp-hole`, or `tree-budget` where that could not be worked out. */
  of(tensor: Pick<DcpTensor, "name" | "shape" | "chunks">, findings: Finding[]): Coverage {
    const { name, shape } = tensor;
    const within = tensor.chunks.filter((chunk) => fits(chunk, shape));
    const tell = (rule: string, severity: Finding["severity"], message: string): void => {
      findings.push({ rule, severity, message, at: name });
    };
    if (within.length < tensor.chunks.length) {
      const count = tensor.chunks.length - within.length;
      tell("dcp-chunk-bounds", "error", `${count} chunks of the tensor ${quoted(name)} reach outside of its shape [${shape.join(", ")}].`);
    }
    // Replicas have the same box, and one place in `storage_data`.
    const chunks = [...new Map(within.map((chunk) => [JSON.stringify([chunk.offsets, chunk.sizes]), chunk])).values()];
    const held = chunks.reduce((sum, { sizes }) => sum + countElements(sizes), 0);
    const all = countElements(shape);
    const overlap = this.#overlaps(chunks, shape);
    if (overlap === undefined)
      tell("tree-budget", "warning", `Whether chunks of the tensor ${quoted(name)} overlap was not worked out: there are too many.`);
    if (overlap) tell("dcp-overlap", "warning", `Chunks of the tensor ${quoted(name)} overlap: the later ones count.`);
    if (held < all) tell("dcp-hole", "error", `The chunks of the tensor ${quoted(name)} hold ${held} of its ${all} elements.`);
    return { chunks, disjoint: overlap === false };
  }

  /** Undefined when it would take too long. */
  #overlaps(chunks: readonly DcpChunk[], shape: readonly number[]): boolean | undefined {
    // Along the axis with the most borders few chunks stand beside each other.
    const borders = shape.map((_, axis) => new Set(chunks.map(({ offsets }) => offsets[axis])).size);
    const axis = Math.max(0, borders.indexOf(Math.max(...borders)));
    const ordered = chunks.filter(({ sizes }) => !sizes.includes(0)).sort((a, b) => (a.offsets[axis] ?? 0) - (b.offsets[axis] ?? 0));
    let open: DcpChunk[] = [];
    for (const chunk of ordered) {
      open = open.filter(({ offsets, sizes }) => (offsets[axis] ?? 0) + (sizes[axis] ?? 1) > (chunk.offsets[axis] ?? 0));
      this.#steps += 1 + open.length * Math.max(1, shape.length);
      if (this.#steps > this.#limits.treeVisits) return undefined;
      if (open.some((other) => meet(chunk, other))) return true;
      open.push(chunk);
    }
    return false;
  }
}

/** Whether a chunk lies within a tensor's shape. */
function fits({ offsets, sizes }: DcpChunk, shape: readonly number[]): boolean {
  if (offsets.length !== shape.length || sizes.length !== shape.length) return false;
  return shape.every((size, axis) => (offsets[axis] ?? 0) + (sizes[axis] ?? 0) <= size);
}

const meet = (a: DcpChunk, b: DcpChunk): boolean =>
  a.offsets.every((offset, axis) => {
    const other = b.offsets[axis] ?? 0;
    return offset < other + (b.sizes[axis] ?? 0) && other < offset + (a.sizes[axis] ?? 0);
  });
