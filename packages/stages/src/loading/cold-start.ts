import type { CheckpointContext } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { loadShape } from "../load/load-options.js";
import type { LoadPlan } from "../load/plan.js";
import { type Selection, WeightsLoader } from "../load/weights-loader.js";
import { parseOptions } from "../options.js";

const options = z.strictObject({
  strict: z.boolean().default(false).describe("Whether every name must be both in the checkpoint and in the model"),
  ...loadShape,
});

/**
 * Begins a new training from pretrained weights: loads them as {@link WeightsOnlyLoader} does, sets epoch and step to 0, and
 * records where the weights came from.
 *
 * @example
 * const { metadata } = await new ColdStartLoader({ strict: true }).process(context);
 * metadata.pretrained_from // "pretrained.ckpt"
 */
export class ColdStartLoader extends WeightsLoader {
  static override readonly description = "Begins a new training from pretrained weights: epoch and step are 0";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;
  protected readonly strategy = "cold_start";

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "ColdStartLoader");
  }

  /** @throws {CheckpointIncompatibleError} INCOMPATIBLE */
  protected select(plan: LoadPlan): Selection {
    return this.selectAll(plan, this.options.strict);
  }

  protected override loaded(context: CheckpointContext, plan: LoadPlan): CheckpointContext {
    return super.loaded(context, plan).withMetadata({ epoch: 0, global_step: 0, pretrained_from: plan.checkpoint.uri });
  }
}
