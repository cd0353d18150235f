import type { OutputTensor } from "@ckptkit/core";

/** A run of a tensor's bytes, and where it goes in a buffer. */
export interface PlannedFill {
  readonly tensor: OutputTensor & Required<Pick<OutputTensor, "fill">>;
  /** First byte of the tensor. */
  readonly start: number;
  /** Its place in the buffer: [from, to). */
  readonly from: number;
  readonly to: number;
}

/** Neighbours in a file that go through a buffer together, or a tensor whose bytes come in their own pieces. */
export type PlannedOutput = { readonly fills: readonly PlannedFill[]; readonly byteLength: number } | { readonly tensor: OutputTensor };

/** Bytes of the largest element: runs begin and end at its multiples, in the tensor and in the buffer. */
const UNIT_BYTES = 16;

/**
 * Cuts tensors that are written one after the other into buffers of `bufferBytes`, a multiple of 16: small ones go together, large ones take
 * several.
 */
export function* planFills(tensors: readonly OutputTensor[], bufferBytes: number): Generator<PlannedOutput, void, void> {
  let fills: PlannedFill[] = [];
  let used = 0;
  const close = (): PlannedOutput[] => {
    const closed = used > 0 ? [{ fills, byteLength: used }] : [];
    fills = [];
    used = 0;
    return closed;
  };
  for (const tensor of tensors) {
    if (!canFill(tensor)) {
      yield* close();
      yield { tensor };
      continue;
    }
    for (let start = 0; start < tensor.byteLength; ) {
      if (used === bufferBytes || used % UNIT_BYTES !== 0) yield* close();
      const length = Math.min(bufferBytes - used, tensor.byteLength - start);
      fills.push({ tensor, start, from: used, to: used + length });
      used += length;
      start += length;
    }
  }
  yield* close();
}

const canFill = (tensor: OutputTensor): tensor is PlannedFill["tensor"] => tensor.fill !== undefined;
