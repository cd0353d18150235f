import type { TensorData } from "@ckptkit/core";
import * as z from "zod";
import { loadShape } from "../load/load-options.js";
import { adviceFor, type LoadPlan } from "../load/plan.js";
import { type Selection, WeightsLoader } from "../load/weights-loader.js";
import { incompatibleError } from "../model/incompatible.js";
import { parseOptions } from "../options.js";

const options = z.strictObject({
  skipMismatched: z.boolean().default(true).describe("Whether tensors of another shape are left out, or are an error"),
  ...loadShape,
});

/**
 * Loads the tensors that the model has too, with the same shape, and leaves the rest of the model as it is. Optimizer and
 * scheduler are dropped.
 *
 * @example
 * const loader = new TransferLearningLoader({ exclude: ["head.*"] });
 * const { metadata } = await loader.process(context);
 * metadata.transferred_params // ["encoder.weight", ...]
 * metadata.skipped_params // { "decoder.weight": "shape [8, 4] in the checkpoint, [16, 4] in the model" }
 */
export class TransferLearningLoader extends WeightsLoader {
  static override readonly description = "Loads the tensors that fit the model by name and shape, and skips the others";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;
  protected readonly strategy = "transfer_learning";

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "TransferLearningLoader");
  }

  /** @throws {CheckpointIncompatibleError} INCOMPATIBLE for another shape, unless `skipMismatched` */
  protected select(plan: LoadPlan): Selection {
    const { unexpectedKeys, shapeMismatches, dtypeMismatches } = plan.differences;
    if (!this.options.skipMismatched && (shapeMismatches.length > 0 || dtypeMismatches.length > 0)) {
      throw incompatibleError({ shapeMismatches, dtypeMismatches }, [
        "Leave them out with skipMismatched: true.",
        ...adviceFor({ ...plan.differences, shapeMismatches: [] }),
      ]);
    }
    const skipped = new Map<string, string>();
    for (const name of unexpectedKeys) skipped.set(name, "not in the model");
    for (const { name, expected, found } of shapeMismatches) {
      skipped.set(name, `shape [${found.join(", ")}] in the checkpoint, [${expected.join(", ")}] in the model`);
    }
    for (const { name, expected, found } of dtypeMismatches) skipped.set(name, `${found} in the checkpoint, ${expected} in the model`);
    const values = new Map<string, TensorData>([...plan.values].filter(([name]) => !skipped.has(name)));
    const refreshed = new Set(plan.refreshed);
    return {
      values,
      metadata: {
        transferred_params: [...values.keys()].filter((name) => !refreshed.has(name)),
        skipped_params: Object.fromEntries(skipped),
      },
    };
  }
}
