import { CheckpointConfigError, CheckpointValidationError, type Json, type Kernels, type TensorData } from "@ckptkit/core";
import { type CheckpointContext, ModelModifier, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { chooseTensors, type ModelTensor, selectionOptions } from "../modifying/choose-tensors.js";
import { findKernels, recordModifier, requireLoadedModel } from "../modifying/model-stage.js";
import { parseOptions } from "../options.js";
import { channelsOf } from "../tensor-math/channels.js";
import { countBelow, elementProgress, findBorder, passesToPrune } from "../tensor-math/magnitude.js";
import { channelNorms, countToPrune, prunedBelow, prunedChannels, smallestChannels } from "../tensor-math/pruned.js";

const options = z
  .strictObject({
    method: z
      .enum(["l1_unstructured", "ln_structured"])
      .default("l1_unstructured")
      .describe("Single values of the smallest magnitude, or whole slices of the smallest norm."),
    amount: z.number().min(0).max(1).optional().describe("How much to prune, as a fraction of the values (or slices). Give this or count."),
    count: z.int().min(0).optional().describe("How many values (or slices) to prune. Give this or amount."),
    global: z.boolean().default(false).describe("For l1_unstructured: over all tensors together, and not for each by itself."),
    n: z
      .union([z.number().positive(), z.enum(["inf", "-inf"])])
      .default(2)
      .describe("For ln_structured: the order of the norm."),
    dim: z.int().default(0).describe("For ln_structured: the axis whose slices are pruned; negative counts from the end."),
    ...selectionOptions,
    minDims: z
      .int()
      .min(0)
      .default(2)
      .describe("Tensors of fewer axes, such as biases, are left alone, unless include names them in full."),
  })
  .refine(({ amount, count }) => (amount === undefined) !== (count === undefined), { message: "either amount or count, and not both" })
  .refine(({ method, global }) => method === "l1_unstructured" || !global, { path: ["global"], message: "false with ln_structured" });

/** What was done to one tensor, as the metadata tells it. */
interface Pruned {
  tensor: ModelTensor;
  value: TensorData;
  pruned: number;
  zeros: number;
}

/**
 * Sets the smallest weights of a model to 0, as `torch.nn.utils.prune` does: `l1_unstructured` for each tensor or, with `global`,
 * over all together, and `ln_structured`. Passes over the weights find the border; they are zeroed when they are read. Among equal
 * magnitudes (or norms) the first in the model are pruned, where torch leaves it open. What is pruned becomes +0.
 *
 * @example new PruneModifier({ amount: 0.3, global: true, include: ["encoder.*"] });
 */
export class PruneModifier extends ModelModifier {
  static override readonly description = "Sets the model's smallest weights, or slices of the smallest norm, to zero";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  constructor(input: z.input<typeof options>) {
    super();
    this.options = parseOptions(options, input, "PruneModifier");
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE; INVALID_ARGUMENT for a count that is larger than what there is
   * @throws {CheckpointValidationError} WEIGHTS_NOT_LOADED, UNKNOWN_TENSOR, UNSUPPORTED_DTYPE, NO_TENSORS; UNSUPPORTED_SHAPE for a tensor
   * that lacks the axis. The model is changed only when none of these is met.
   */
  async process(context: CheckpointContext, stage: StageOptions): Promise<CheckpointContext> {
    const model = requireLoadedModel(context, this.name);
    const kernels = await findKernels(context);
    const tensors = chooseTensors(model, { ...this.options, buffers: false }, this.name);
    const results = await this.#prune(tensors, kernels, stage);
    model.replaceTensors(new Map(results.flatMap(({ tensor, value }) => tensor.names.map((name) => [name, value] as const))));
    return recordModifier(context, this.#describe(results));
  }

  async #prune(tensors: readonly ModelTensor[], kernels: Kernels, stage: StageOptions): Promise<Pruned[]> {
    const { method, global } = this.options;
    if (method === "ln_structured") return this.#pruneSlices(tensors, kernels, stage);
    const groups = global ? [tensors] : tensors.map((tensor) => [tensor]);
    const jobs = groups.map((group) => {
      const datas = group.map(({ data }) => data);
      const size = group.reduce((sum, { elements }) => sum + elements, 0);
      const count = this.#count(size, global ? "the tensors together" : JSON.stringify(group[0]?.name), "values");
      return { group, datas, count, work: size * (count === 0 ? 1 : passesToPrune(datas)) };
    });
    const onElements = elementProgress(
      "prune",
      jobs.reduce((sum, { work }) => sum + work, 0),
      stage.onProgress,
    );
    const results: Pruned[] = [];
    for (const { group, datas, count } of jobs) {
      const border = count === 0 ? undefined : await findBorder(datas, count, kernels, stage, onElements);
      for (const [index, tensor] of group.entries()) {
        const { below, zeros } = await countBelow(tensor.data, index, border, kernels, stage, onElements);
        const value = border && below > 0 ? prunedBelow(tensor.data, index, border, kernels) : tensor.data;
        results.push({ tensor, value, pruned: below, zeros });
      }
    }
    return results;
  }

  async #pruneSlices(tensors: readonly ModelTensor[], kernels: Kernels, stage: StageOptions): Promise<Pruned[]> {
    const { dim, n } = this.options;
    const jobs = tensors.map((tensor) => {
      const channels = tensor.data.shape.length < 2 ? undefined : channelsOf(tensor.data.shape, dim);
      if (!channels) throw noSlices(tensor, dim);
      return { tensor, channels, count: this.#count(channels.count, JSON.stringify(tensor.name), `slices along axis ${dim}`) };
    });
    const onElements = elementProgress(
      "prune",
      tensors.reduce((sum, { elements }) => sum + elements, 0),
      stage.onProgress,
    );
    const results: Pruned[] = [];
    for (const { tensor, channels, count } of jobs) {
      const { norms, zeros } = await channelNorms(tensor.data, channels, n, kernels, onElements, stage);
      const chosen = smallestChannels(norms, count);
      results.push({
        tensor,
        value: count === 0 ? tensor.data : prunedChannels(tensor.data, channels, chosen, kernels),
        pruned: count * channels.size,
        zeros: zeros.reduce((sum, none, channel) => sum + (chosen.has(channel) ? channels.size : none), 0),
      });
    }
    return results;
  }

  #count(size: number, what: string, unit: string): number {
    const count = countToPrune(size, this.options);
    if (count <= size) return count;
    throw new CheckpointConfigError("INVALID_ARGUMENT", `${count} ${unit} were to be pruned from ${what}, of which there are ${size}.`, {
      details: { count, size },
      suggestions: ["Give a fraction instead: amount: 0.3."],
    });
  }

  #describe(results: readonly Pruned[]): { type: string; [key: string]: Json } {
    const { method, amount, count, global, n, dim } = this.options;
    const sum = (of: (result: Pruned) => number): number => results.reduce((total, result) => total + of(result), 0);
    const params = sum(({ tensor }) => tensor.elements);
    return {
      type: "prune",
      method,
      ...(amount !== undefined ? { amount } : { count: count ?? 0 }),
      ...(method === "ln_structured" ? { n, dim } : { global }),
      tensors: results.map(({ tensor, pruned, zeros }) => ({
        name: tensor.name,
        pruned_params: pruned,
        sparsity: sparsity(zeros, tensor.elements),
      })),
      total_pruned_params: sum(({ pruned }) => pruned),
      total_params: params,
      total_sparsity: sparsity(
        sum(({ zeros }) => zeros),
        params,
      ),
    };
  }
}

/** The share of zeros. */
const sparsity = (zeros: number, elements: number): number => (elements === 0 ? 0 : zeros / elements);

function noSlices({ name, data: { shape } }: ModelTensor, dim: number): CheckpointValidationError {
  return new CheckpointValidationError(
    "UNSUPPORTED_SHAPE",
    `${JSON.stringify(name)} has the shape [${shape.join(", ")}]: structured pruning along axis ${dim} needs at least two axes, and that one.`,
    { details: { name, shape, dim }, suggestions: ["Leave it out with exclude."] },
  );
}
