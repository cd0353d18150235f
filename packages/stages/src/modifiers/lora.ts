import { type Checkpoint, CheckpointConfigError, type Kernels, type Platform } from "@ckptkit/core";
import { type CheckpointContext, ModelModifier, type StageOptions } from "@ckptkit/core/pipeline";
import { globMatcher } from "@ckptkit/inspect";
import { jsKernels } from "@ckptkit/wasm/js";
import * as z from "zod";
import { parseAdapterConfig } from "../lora/adapter-config.js";
import { parseAdapterKeys } from "../lora/adapter-keys.js";
import { planMerge } from "../lora/merge-plan.js";
import { openAdapter, readAdapterConfig } from "../lora/open-adapter.js";
import { modelTensors } from "../model/model-entries.js";
import { findKernels, recordModifier, requireLoadedModel } from "../modifying/model-stage.js";
import { parseOptions } from "../options.js";

const options = z
  .strictObject({
    adapter: z
      .string()
      .min(1)
      .optional()
      .describe("Path or address of the adapter: its folder, or its file with adapter_config.json beside it. Give this or from."),
    from: z.string().min(1).optional().describe("Name of a checkpoint that a source opened (its as), to take as the adapter."),
    config: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("The adapter's configuration as in adapter_config.json, instead of the file."),
    adapterName: z.string().min(1).optional().describe("Which adapter to merge, where the file names several."),
    fanInFanOut: z
      .union([z.boolean(), z.array(z.string().min(1))])
      .optional()
      .describe(
        "Whether square weights are stored as [in, out], or names and globs of the modules for which they are; else the configuration says.",
      ),
  })
  .refine(({ adapter, from }) => (adapter === undefined) !== (from === undefined), { message: "either adapter or from, and not both" });

/**
 * Merges a LoRA adapter of PEFT into the model's weights: weight + scaling x B x A, as PEFT's `merge_and_unload` on a CPU. Linear layers,
 * Conv1D of GPT-2, convolutions and embeddings; rsLoRA; ranks and alphas by pattern; biases; `modules_to_save`. Every tensor of the
 * adapter must have its place in the model. Sums are computed, in constant memory, when the merged weights are read: the adapter stays
 * open until then, among the context's checkpoints.
 *
 * 16-bit weights: the update is computed in float32, added, and the sum is rounded once; for embeddings the update is rounded before as well.
 *
 * @example new LoraModifier({ adapter: "adapters/my-lora" });
 */
export class LoraModifier extends ModelModifier {
  static override readonly description = "Merges a LoRA adapter of PEFT into the model's weights";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;
  /** Only where the adapter is open already and its configuration is given. */
  readonly processSync?: (context: CheckpointContext, stage: StageOptions) => CheckpointContext;

  constructor(input: z.input<typeof options>) {
    super();
    this.options = parseOptions(options, input, "LoraModifier");
    const { from, config } = this.options;
    if (from !== undefined && config) {
      this.processSync = (context, stage) =>
        this.#merge(context, context.requireCheckpoint(this.name, from), config, context.kernels ?? jsKernels(), stage);
    }
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE; INVALID_ARGUMENT for an adapter's name that is not there, or a square weight
   * of which it cannot be told which way round it is stored
   * @throws {CheckpointNotFoundError} NOT_FOUND when the adapter or its configuration is not there
   * @throws {CheckpointLoadError} ADAPTER_CONFIG, and what opening a checkpoint throws
   * @throws {CheckpointError} ADAPTER_UNSUPPORTED for DoRA and other kinds that are not plain LoRA
   * @throws {CheckpointIncompatibleError} INCOMPATIBLE when a tensor of the adapter has no place in the model, or does not fit there
   * @throws {CheckpointValidationError} WEIGHTS_NOT_LOADED, UNSUPPORTED_DTYPE. The model is changed only when none of these is met.
   */
  async process(context: CheckpointContext, stage: StageOptions): Promise<CheckpointContext> {
    requireLoadedModel(context, this.name);
    const { adapter, from } = this.options;
    if (adapter === undefined) {
      const checkpoint = context.requireCheckpoint(this.name, from);
      const config = this.options.config ?? (await readAdapterConfig(this.#platform(context), checkpoint.uri, stage));
      return this.#merge(context, checkpoint, config, await findKernels(context), stage);
    }
    const platform = this.#platform(context);
    const config = this.options.config ?? (await readAdapterConfig(platform, adapter, stage));
    const checkpoint = await openAdapter(platform, adapter, stage);
    try {
      return this.#merge(context, checkpoint, config, await findKernels(context), stage).withCheckpoint(checkpoint, checkpoint.uri);
    } catch (error) {
      await checkpoint.close();
      throw error;
    }
  }

  #platform(context: CheckpointContext): Platform {
    context.validateForStage(this.name, ["platform"]);
    if (context.platform) return context.platform;
    throw new CheckpointConfigError("CONTEXT_INCOMPLETE", `The stage ${this.name} needs a platform.`);
  }

  #merge(context: CheckpointContext, checkpoint: Checkpoint, config: unknown, kernels: Kernels, stage: StageOptions): CheckpointContext {
    const model = requireLoadedModel(context, this.name);
    const tensors = parseAdapterKeys(modelTensors(checkpoint), this.options.adapterName, checkpoint.uri);
    const plan = planMerge(model, tensors, parseAdapterConfig(config, checkpoint.uri), {
      fanInFanOut: matcherOf(this.options.fanInFanOut),
      kernels,
    });
    if (plan.tied.length > 0) {
      stage.onNotice?.({
        level: "warning",
        message: `The adapter changes tensors that stand under several names, so these change as well: ${plan.tied.join(", ")}.`,
      });
    }
    model.replaceTensors(plan.values);
    return recordModifier(context, {
      type: "lora",
      adapter: checkpoint.uri,
      merged_modules: plan.merged,
      replaced_params: plan.replaced,
    });
  }
}

function matcherOf(option: boolean | readonly string[] | undefined): ((module: string) => boolean) | undefined {
  if (option === undefined) return undefined;
  if (typeof option === "boolean") return () => option;
  const patterns = option.map(globMatcher);
  return (module) => patterns.some((matches) => matches(module));
}
