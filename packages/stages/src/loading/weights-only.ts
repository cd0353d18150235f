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
 * Loads the weights and nothing else: optimizer and scheduler are dropped, epoch and step in the metadata stay as they are.
 *
 * @example
 * const loader = new WeightsOnlyLoader({ migrations: [{ stripPrefix: "model" }] });
 * const { model } = await loader.process(new CheckpointContext({ checkpoint, model: ReferenceModel.like(other) }));
 */
export class WeightsOnlyLoader extends WeightsLoader {
  static override readonly description = "Loads the weights and nothing else";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;
  protected readonly strategy = "weights_only";

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "WeightsOnlyLoader");
  }

  /** @throws {CheckpointIncompatibleError} INCOMPATIBLE */
  protected select(plan: LoadPlan): Selection {
    return this.selectAll(plan, this.options.strict);
  }
}
