import { CheckpointValidationError, countElements, type TensorData } from "@ckptkit/core";
import type { ModelAdapter } from "@ckptkit/core/pipeline";
import { globMatcher } from "@ckptkit/inspect";
import * as z from "zod";
import { type FloatTensor, isFloatTensor } from "../tensor-math/numbers.js";

/** Options of modifiers that work on some of a model's tensors. */
export const selectionOptions = {
  include: z
    .array(z.string().min(1))
    .optional()
    .describe("Names or globs of the tensors to work on; all that are suited when left out. * stands for any characters."),
  exclude: z.array(z.string().min(1)).default([]).describe("Names or globs of tensors to leave alone."),
};

/** A tensor of a model, with every name that it has. */
export interface ModelTensor {
  /** The first of its names. */
  readonly name: string;
  /** Tied tensors have several. */
  readonly names: readonly string[];
  readonly data: FloatTensor;
  readonly elements: number;
}

/** Which tensors a modifier works on. */
export interface Selection {
  readonly include?: readonly string[] | undefined;
  readonly exclude: readonly string[];
  /** Tensors of fewer axes are left alone: biases and norms, where it is 2. */
  readonly minDims: number;
  /** Also buffers, such as running means. */
  readonly buffers: boolean;
}

/** Every tensor of a model once, with all of its names. */
export function tensorsByNames(model: ModelAdapter): { names: readonly string[]; data: TensorData }[] {
  const groups = new Map<string, readonly string[]>();
  for (const group of model.ties()) for (const name of group) groups.set(name, group);
  const state = model.stateDict();
  return [...state]
    .map(([name, data]) => ({ names: groups.get(name) ?? [name], data, name }))
    .filter(({ names, name }) => names[0] === name);
}

/**
 * The floating-point tensors of a model that a selection means. Tied tensors are one: chosen when any of their names is, and left
 * alone when any of them is excluded.
 *
 * @throws {CheckpointValidationError} UNKNOWN_TENSOR for a pattern that no tensor has; UNSUPPORTED_DTYPE for a tensor that is named in
 * full and is not of F64, F32, F16 or BF16; NO_TENSORS when nothing is left.
 */
export function chooseTensors(model: ModelAdapter, selection: Selection, stage: string): ModelTensor[] {
  const { include, exclude, minDims } = selection;
  const parameters = new Set(model.namedParameters().map(({ name }) => name));
  const included = include?.map((pattern) => ({ pattern, matches: globMatcher(pattern), found: false }));
  const excluded = exclude.map(globMatcher);
  const chosen: ModelTensor[] = [];
  const reasons = new Map<string, number>();
  const leave = (reason: string): void => void reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const { names, data } of tensorsByNames(model)) {
    const wanted = included?.filter(({ matches }) => names.some(matches));
    for (const pattern of wanted ?? []) pattern.found = true;
    if (wanted?.length === 0) continue;
    const inFull = wanted?.some(({ pattern }) => names.includes(pattern)) ?? false;
    if (names.some((name) => excluded.some((matches) => matches(name)))) leave("excluded");
    else if (!isFloatTensor(data)) {
      if (inFull) throw notFloat(names[0] ?? "", data, stage);
      leave("not F64, F32, F16 or BF16");
    } else if (!inFull && !selection.buffers && !names.some((name) => parameters.has(name))) leave("buffers");
    else if (!inFull && data.shape.length < minDims) leave(`of fewer than ${minDims} axes`);
    else chosen.push({ name: names[0] ?? "", names, data, elements: countElements(data.shape) });
  }
  const unknown = included?.filter(({ found }) => !found).map(({ pattern }) => pattern) ?? [];
  if (unknown.length > 0) throw noSuchTensor(unknown, stage);
  if (chosen.length === 0) throw nothingChosen(reasons, stage);
  return chosen;
}

function notFloat(name: string, { dtype }: TensorData, stage: string): CheckpointValidationError {
  return new CheckpointValidationError(
    "UNSUPPORTED_DTYPE",
    `${stage} was asked to change ${JSON.stringify(name)}, whose dtype is ${dtype}; it works on F64, F32, F16 and BF16.`,
    { details: { name, dtype }, suggestions: ["Take it out of include."] },
  );
}

function noSuchTensor(patterns: readonly string[], stage: string): CheckpointValidationError {
  return new CheckpointValidationError("UNKNOWN_TENSOR", `${stage}: no tensor of the model has a name like ${patterns.join(", ")}.`, {
    details: { patterns },
    suggestions: ["Full names are needed; * stands for any characters: *.attn.*"],
  });
}

function nothingChosen(reasons: ReadonlyMap<string, number>, stage: string): CheckpointValidationError {
  const left = [...reasons].map(([reason, count]) => `${count} ${reason}`);
  return new CheckpointValidationError(
    "NO_TENSORS",
    `${stage} finds no tensor to work on${left.length > 0 ? `; left alone: ${left.join(", ")}` : ": the model has none"}.`,
    { details: { leftAlone: Object.fromEntries(reasons) } },
  );
}
