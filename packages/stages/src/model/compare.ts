import type { TensorData } from "@ckptkit/core";
import { canCast } from "../tensors/cast.js";
import type { Differences } from "./incompatible.js";

/** What is compared of a tensor. */
type Described = Pick<TensorData, "dtype" | "shape">;

/** Compares the names, shapes and dtypes of a model and of a state dict. Reads no values. */
export function compareStateDicts(model: ReadonlyMap<string, Described>, values: ReadonlyMap<string, Described>): Differences {
  const unexpectedKeys: string[] = [];
  const shapeMismatches: Differences["shapeMismatches"][number][] = [];
  const dtypeMismatches: Differences["dtypeMismatches"][number][] = [];
  for (const [name, { dtype, shape }] of values) {
    const own = model.get(name);
    if (!own) unexpectedKeys.push(name);
    else if (!shapesFit(own.shape, shape)) shapeMismatches.push({ name, expected: own.shape, found: shape });
    else if (!canCast(dtype, own.dtype)) dtypeMismatches.push({ name, expected: own.dtype, found: dtype });
  }
  return { missingKeys: [...model.keys()].filter((name) => !values.has(name)), unexpectedKeys, shapeMismatches, dtypeMismatches };
}

/** Whether two shapes are the same. */
export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** Scalars were saved with the shape [1] before torch 0.4. @see torch/nn/modules/module.py, _load_from_state_dict */
const shapesFit = (model: readonly number[], checkpoint: readonly number[]): boolean =>
  sameShape(model, checkpoint) || (model.length === 0 && checkpoint.length === 1 && checkpoint[0] === 1);
