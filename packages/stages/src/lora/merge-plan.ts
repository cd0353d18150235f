import { CheckpointConfigError, CheckpointError, CheckpointValidationError, type Kernels, type TensorData } from "@ckptkit/core";
import type { ModelAdapter } from "@ckptkit/core/pipeline";
import { type Differences, incompatibleError } from "../model/incompatible.js";
import { addLowRank, addScaled, asMatrix, type TileCache } from "../tensor-math/low-rank.js";
import { type FloatTensor, isFloatTensor } from "../tensor-math/numbers.js";
import { castTensor } from "../tensors/cast.js";
import type { AdapterConfig } from "./adapter-config.js";
import type { AdapterModule, AdapterTensors, KeyedTensor } from "./adapter-keys.js";
import { expectedShapes, fits, type LayerKind, layerKind, sameShape } from "./layer-shapes.js";
import { ModelWeights } from "./model-weights.js";

/** What merging an adapter changes in a model. Nothing of it has been read or computed yet. */
export interface MergePlan {
  readonly values: ReadonlyMap<string, TensorData>;
  readonly merged: readonly { name: string; rank: number; scaling: number }[];
  /** Names of the tensors that the adapter replaces as a whole. */
  readonly replaced: readonly string[];
  /** Names that change along because they share a tensor with one that is adapted. */
  readonly tied: readonly string[];
}

/** How to merge. */
export interface MergeOptions {
  /** Tells of a module whose weight is square whether it is stored as [in, out]; undefined leaves it to the configuration. */
  readonly fanInFanOut: ((module: string) => boolean) | undefined;
  readonly kernels: Kernels;
}

/** A module of the adapter with the weight that it adapts. */
interface Layer {
  readonly module: AdapterModule;
  readonly kind: LayerKind;
  readonly weightName: string;
  readonly a: KeyedTensor & { data: FloatTensor };
  readonly b: KeyedTensor & { data: FloatTensor };
  readonly shape: readonly number[];
  readonly rank: number;
  readonly scale: number;
}

type Problems = { [key in keyof Differences]: Differences[key][number][] };

/**
 * Finds the place of every tensor of an adapter in a model, and computes the merged weights lazily.
 *
 * @throws {CheckpointIncompatibleError} INCOMPATIBLE naming every tensor that has no place, is missing or is of another shape
 * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE when a weight is not of a floating-point dtype
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when it cannot be told which way round a square weight is stored
 * @throws {CheckpointError} ADAPTER_UNSUPPORTED for adapters of nn.MultiheadAttention
 */
export function planMerge(model: ModelAdapter, adapter: AdapterTensors, config: AdapterConfig, options: MergeOptions): MergePlan {
  const weights = new ModelWeights(model);
  const problems: Problems = { missingKeys: [], unexpectedKeys: [], shapeMismatches: [], dtypeMismatches: [] };
  const replaced = planReplacements(weights, adapter, config, problems, options.kernels);
  const layers = [...adapter.modules.values()].flatMap((module) => layerOf(module, weights, config, problems) ?? []);
  if (Object.values(problems).some((list) => list.length > 0)) {
    throw incompatibleError(problems, [
      "Is this the adapter's base model? See base_model_name_or_path in adapter_config.json.",
      "Bring the model's names in line with the base model's by migrations.",
    ]);
  }
  const transposed = orientation(layers, config, options);
  const cache: TileCache = {};
  const tied = new Set<string>();
  for (const layer of layers) {
    const { module, weightName, scale } = layer;
    weights.set(weightName, mergedWeight(floatOf(weights.get(weightName), weightName), layer, transposed(layer), options.kernels, cache));
    const bias = module.parts.get("bias");
    if (bias) {
      const name = join(module.path, "bias");
      weights.set(name, addScaled(floatOf(weights.get(name), name), floatOf(bias.data, bias.key), scale, options.kernels));
    }
    for (const other of weights.tiedTo(weightName)) tied.add(other);
  }
  const merged = layers.map(({ module, rank, scale }) => ({ name: module.path, rank, scaling: scale }));
  return { values: weights.changes(), merged, replaced, tied: [...tied] };
}

const join = (module: string, name: string): string => (module === "" ? name : `${module}.${name}`);

/** Tensors that are replaced as a whole keep the model's dtype, as values that are copied into a parameter do. */
function planReplacements(
  weights: ModelWeights,
  adapter: AdapterTensors,
  config: AdapterConfig,
  problems: Problems,
  kernels: Kernels,
): string[] {
  const isSaved = (name: string): boolean => config.modulesToSave.some((module) => `.${name}`.includes(`.${module}.`));
  for (const [name, { key, data, saved }] of adapter.replacements) {
    const base = weights.get(name);
    if (!base) problems.unexpectedKeys.push(key);
    else if (!sameShape(base.shape, data.shape)) problems.shapeMismatches.push({ name: key, expected: base.shape, found: data.shape });
    else {
      const value = castTensor(data, base.dtype, kernels);
      if (!value) problems.dtypeMismatches.push({ name: key, expected: base.dtype, found: data.dtype });
      // A saved module is a copy, so its parameters are tied to nothing.
      else if (saved || isSaved(name)) weights.replace(name, value);
      else weights.set(name, value);
    }
  }
  return [...adapter.replacements.keys()];
}

/** The layer that a module of the adapter belongs to; undefined, with problems told, when there is none that fits. */
function layerOf(module: AdapterModule, weights: ModelWeights, config: AdapterConfig, problems: Problems): Layer | undefined {
  const { path, parts } = module;
  const embedding = parts.has("embeddingA") || parts.has("embeddingB");
  const [a, b] = embedding ? [parts.get("embeddingA"), parts.get("embeddingB")] : [parts.get("A"), parts.get("B")];
  const weightName = join(path, "weight");
  const weight = weights.get(weightName);
  if (!weight) {
    if (weights.get(join(path, "in_proj_weight"))) throw attention(path);
    problems.unexpectedKeys.push(...[...parts.values()].map(({ key }) => key));
    return undefined;
  }
  const other = (part: KeyedTensor | undefined, letter: string) => part?.key.replace(/lora_(embedding_)?[AB]/, `lora_$1${letter}`) ?? path;
  if (!a || !b) {
    problems.missingKeys.push(a ? other(a, "B") : other(b ?? parts.get("bias"), "A"));
    return undefined;
  }
  const { rank, scale } = config.of(path);
  const kind = layerKind(embedding, a.data.shape);
  const expected = expectedShapes(kind, weight.shape, rank, config.fanInFanOut);
  const flipped = kind === "linear" && expectedShapes(kind, weight.shape, rank, !config.fanInFanOut);
  let good = true;
  if (!fits(expected, a.data.shape, b.data.shape) && !(flipped && fits(flipped, a.data.shape, b.data.shape))) {
    for (const [part, shape] of [[a, expected.a] as const, [b, expected.b] as const]) {
      if (!sameShape(part.data.shape, shape)) problems.shapeMismatches.push({ name: part.key, expected: shape, found: part.data.shape });
    }
    good = false;
  }
  const bias = parts.get("bias");
  if (bias) {
    const base = weights.get(join(path, "bias"));
    if (!base) problems.unexpectedKeys.push(bias.key);
    else if (!sameShape(base.shape, bias.data.shape)) {
      problems.shapeMismatches.push({ name: bias.key, expected: base.shape, found: bias.data.shape });
    }
  }
  if (!good) return undefined;
  const factor = (part: KeyedTensor) => ({ key: part.key, data: floatOf(part.data, part.key) });
  return { module, kind, weightName, a: factor(a), b: factor(b), shape: weight.shape, rank, scale };
}

function floatOf(tensor: TensorData | undefined, name: string): FloatTensor {
  if (tensor && isFloatTensor(tensor)) return tensor;
  throw new CheckpointValidationError(
    "UNSUPPORTED_DTYPE",
    `Merging needs F64, F32, F16 or BF16, and ${JSON.stringify(name)} is ${tensor ? `of ${tensor.dtype}` : "not there"}.`,
    { details: { name, dtype: tensor?.dtype ?? null }, suggestions: ["Merge into the weights as they were before they were quantised."] },
  );
}

/**
 * Which weights are stored as [in, out]. Shapes tell it for all that are not square; those that are follow the option, or else the
 * configuration, as long as the others do not contradict it: PEFT writes down what it found at the layer that it adapted last.
 */
function orientation(layers: readonly Layer[], config: AdapterConfig, { fanInFanOut }: MergeOptions): (layer: Layer) => boolean {
  const told = new Map<Layer, boolean>();
  const open: Layer[] = [];
  for (const layer of layers) {
    if (layer.kind !== "linear") continue;
    const shapes = [layer.a.data.shape, layer.b.data.shape] as const;
    const plain = fits(expectedShapes("linear", layer.shape, layer.rank, false), ...shapes);
    const flipped = fits(expectedShapes("linear", layer.shape, layer.rank, true), ...shapes);
    if (plain && flipped) open.push(layer);
    else told.set(layer, flipped);
  }
  const contrary = [...told].find(([, transposed]) => transposed !== config.fanInFanOut)?.[0];
  if (!fanInFanOut && contrary && open.length > 0) {
    throw new CheckpointConfigError(
      "INVALID_ARGUMENT",
      `The weight of ${JSON.stringify(open[0]?.module.path)} is square, so its shape does not tell whether it is stored as [out, in] or as [in, out]; and the configuration (fan_in_fan_out: ${config.fanInFanOut}) is wrong for ${JSON.stringify(contrary.module.path)}.`,
      {
        details: { square: open.map(({ module }) => module.path), contrary: contrary.module.path },
        suggestions: ["Say with fanInFanOut which modules are stored as [in, out] (GPT-2's Conv1D): true, false, or names and globs."],
      },
    );
  }
  for (const layer of open) told.set(layer, fanInFanOut ? fanInFanOut(layer.module.path) : config.fanInFanOut);
  return (layer) => told.get(layer) ?? false;
}

function mergedWeight(weight: FloatTensor, layer: Layer, transposed: boolean, kernels: Kernels, cache: TileCache): TensorData {
  const { rows, columns } = asMatrix(weight.shape);
  const { rank, scale } = layer;
  const [a, b] = [layer.a.data, layer.b.data];
  // B x A is [out, in]; an embedding's weight is [number, size], which is its transpose.
  if (transposed || layer.kind === "embedding") {
    const left = { data: a, length: rows, rankFirst: true };
    const right = { data: b, length: columns, rankFirst: false };
    return addLowRank(weight, { left, right, rank, scale, roundUpdate: layer.kind === "embedding" }, kernels, cache);
  }
  const left = { data: b, length: rows, rankFirst: false };
  const right = { data: a, length: columns, rankFirst: true };
  return addLowRank(weight, { left, right, rank, scale, roundUpdate: false }, kernels, cache);
}

function attention(path: string): CheckpointError {
  return new CheckpointError(
    "ADAPTER_UNSUPPORTED",
    `The adapter adapts ${JSON.stringify(path)}, an nn.MultiheadAttention: PEFT adds the update of its out_proj twice, depending on the version, so it is not clear what the merged weights are.`,
    { details: { module: path }, suggestions: ["Merge it with the PEFT that it was trained with: merge_and_unload()."] },
  );
}
