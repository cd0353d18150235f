import { type CastDType, CheckpointValidationError, type Kernels, type TensorData } from "@ckptkit/core";
import { type CheckpointContext, type ModelAdapter, ModelModifier, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { chooseTensors, type ModelTensor, selectionOptions } from "../modifying/choose-tensors.js";
import { findKernels, recordModifier, requireLoadedModel } from "../modifying/model-stage.js";
import { parseOptions } from "../options.js";
import { elementProgress } from "../tensor-math/magnitude.js";
import { float32Tensor } from "../tensor-math/mapped-tensor.js";
import { findScales, type Quantizer, quantizedTensor } from "../tensor-math/quantized.js";
import { castTensor } from "../tensors/cast.js";

const options = z
  .strictObject({
    dtype: z.enum(["I8", "F32", "F16", "BF16"]).default("I8").describe("I8 quantises; the others cast, rounding to nearest even."),
    scheme: z
      .enum(["per_tensor", "per_channel"])
      .default("per_channel")
      .describe("For I8: one scale for a tensor, or one for every slice along axis."),
    axis: z.int().default(0).describe("For per_channel: the axis that the scales follow; negative counts from the end."),
    qmin: z.int().min(-128).max(-1).default(-127).describe("For I8: the smallest integer."),
    qmax: z.int().min(1).max(127).default(127).describe("For I8: the largest integer."),
    ...selectionOptions,
    minDims: z
      .int()
      .min(0)
      .optional()
      .describe("Tensors of fewer axes are left alone, unless include names them in full. Default 2 for I8, 0 for casts."),
  })
  .describe("Which tensors to quantise or cast, and how.");

/**
 * Quantises a model's weights to 8-bit integers, or casts them to another floating-point dtype. Both happen when the weights are
 * read; I8 needs one pass over them before, to find the scales.
 *
 * I8 is symmetric: value = integer x scale, zero point 0. `<name>` becomes I8 of the same shape, and `<name>_scale` is added: F32, of
 * the shape [1] per tensor, and per channel of the same number of axes as the tensor with 1 for every other axis ([out, 1] for a
 * linear layer and axis 0), so that `weight * weight_scale` broadcasts. A scale is the largest |value| / min(-qmin, qmax), in float32;
 * 1 where all values are 0, and never below 2^-126. Integers are those of `torch.quantize_per_tensor` and `torch.quantize_per_channel`.
 *
 * @example new QuantizeModifier({ dtype: "I8", scheme: "per_channel", exclude: ["*embed*"] });
 */
export class QuantizeModifier extends ModelModifier {
  static override readonly description = "Quantises the model's weights to 8-bit integers with scales, or casts them to another dtype";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "QuantizeModifier");
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
   * @throws {CheckpointValidationError} WEIGHTS_NOT_LOADED, UNKNOWN_TENSOR, UNSUPPORTED_DTYPE, NO_TENSORS; NAME_CONFLICT when there is a
   * tensor with the name of a scale; NOT_FINITE for a tensor with NaN or infinities; UNSUPPORTED_SHAPE for one that lacks the axis. The
   * model is changed only when none of these is met.
   */
  async process(context: CheckpointContext, stage: StageOptions): Promise<CheckpointContext> {
    const { dtype, qmin, qmax, scheme, minDims = dtype === "I8" ? 2 : 0 } = this.options;
    const model = requireLoadedModel(context, this.name);
    const kernels = await findKernels(context);
    const selection = { ...this.options, minDims, buffers: dtype !== "I8" };
    const tensors = chooseTensors(model, selection, this.name).filter(({ data }) => (data.dtype as string) !== dtype);
    const axis = scheme === "per_channel" ? this.options.axis : undefined;
    const values = dtype === "I8" ? await quantize(tensors, { qmin, qmax, axis }, model, kernels, stage) : castAll(tensors, dtype, kernels);
    model.replaceTensors(values);
    return recordModifier(context, {
      type: "quantize",
      dtype,
      ...(dtype === "I8" && { scheme, axis: axis ?? null, qmin, qmax }),
      tensors: tensors.map(({ name }) => name),
      total_params: tensors.reduce((sum, { elements }) => sum + elements, 0),
    });
  }
}

function castAll(tensors: readonly ModelTensor[], dtype: CastDType, kernels: Kernels): Map<string, TensorData> {
  const values = new Map<string, TensorData>();
  for (const { names, data } of tensors) {
    const cast = castTensor(data, dtype, kernels);
    if (cast) for (const name of names) values.set(name, cast);
  }
  return values;
}

async function quantize(
  tensors: readonly ModelTensor[],
  quantizer: Quantizer,
  model: ModelAdapter,
  kernels: Kernels,
  stage: StageOptions,
): Promise<Map<string, TensorData>> {
  const state = model.stateDict();
  const taken = tensors.flatMap(({ names }) => names.map((name) => `${name}_scale`)).find((name) => state.has(name));
  if (taken !== undefined) {
    throw new CheckpointValidationError(
      "NAME_CONFLICT",
      `The model has a tensor ${JSON.stringify(taken)} already, where a scale would go.`,
      {
        details: { name: taken },
        suggestions: ["It may be quantised already: leave the tensor out with exclude."],
      },
    );
  }
  const onElements = elementProgress(
    "quantize",
    tensors.reduce((sum, { elements }) => sum + elements, 0),
    stage.onProgress,
  );
  const values = new Map<string, TensorData>();
  for (const { name, names, data } of tensors) {
    const scales = await findScales(data, name, quantizer, kernels, onElements, stage);
    const quantized = quantizedTensor(data, scales, quantizer, kernels);
    const scale = float32Tensor(scales.shape, scales.values);
    for (const each of names) values.set(each, quantized).set(`${each}_scale`, scale);
  }
  return values;
}
