import type { Kernels } from "@ckptkit/core";
import { loadKernels } from "../src/index.js";
import { jsKernels } from "../src/js/index.js";

/** Every implementation of the kernels: the contract suites run over each of them. */
export const IMPLEMENTATIONS: readonly { name: string; load(options?: { memoryBytes?: number }): Promise<Kernels> }[] = [
  { name: "js", load: async (options) => jsKernels(options) },
  { name: "wasm", load: loadKernels },
];

/** Calls `use` with the parts of `bytes` between the cuts, which are in any order. */
export function inPieces(bytes: Uint8Array, cuts: readonly number[], use: (part: Uint8Array) => void): void {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [index, start] of places.slice(0, -1).entries()) use(bytes.subarray(start, places[index + 1]));
}

/** A copy of bytes that starts `offset` bytes into its buffer. */
export function unaligned(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = new Uint8Array(offset + bytes.length + 3).subarray(offset, offset + bytes.length);
  copy.set(bytes);
  return copy;
}
