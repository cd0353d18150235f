/** Kinds of layers that LoRA adapts, by how their weights are stored. */
export type LayerKind = "linear" | "convolution" | "embedding";

/** Shapes that the factors of a layer must have. */
export interface FactorShapes {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

export const layerKind = (embedding: boolean, aShape: readonly number[]): LayerKind =>
  embedding ? "embedding" : aShape.length > 2 ? "convolution" : "linear";

/**
 * The shapes of the factors for a weight: [out, in] of a linear layer ([in, out] when `transposed`), [out, in, ...kernel] of a
 * convolution, [number, size] of an embedding.
 *
 * @see peft/tuners/lora/layer.py, update_layer of Linear, _ConvNd and Embedding
 */
export function expectedShapes(kind: LayerKind, weight: readonly number[], rank: number, transposed: boolean): FactorShapes {
  const [first = 1, ...rest] = weight;
  if (kind === "convolution") return { a: [rank, ...rest], b: [first, rank, ...rest.slice(1).map(() => 1)] };
  if (kind === "embedding" || transposed) return { a: [rank, first], b: [...rest, rank] };
  return { a: [rank, ...rest], b: [first, rank] };
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

export const fits = (expected: FactorShapes, a: readonly number[], b: readonly number[]): boolean =>
  sameShape(expected.a, a) && sameShape(expected.b, b);
