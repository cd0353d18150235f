import type { Checkpoint } from "@ckptkit/core";
import { CheckpointCheck, type CheckpointContext, type ModelAdapter, type StageOptions } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import * as z from "zod";
import { recordCheck } from "../inspecting/check-result.js";
import { loadShape } from "../load/load-options.js";
import { adviceFor, type LoadPlan, planFor } from "../load/plan.js";
import { incompatibleError, type Mismatch } from "../model/incompatible.js";
import { ReferenceModel } from "../model/reference-model.js";
import { parseOptions } from "../options.js";

const options = z.strictObject({
  like: z.string().optional().describe("Path or address of a checkpoint that takes the model's place; the context's model when left out"),
  strict: z.boolean().default(true).describe("Whether missing and unexpected names are refused, or only other shapes"),
  sameDtypes: z.boolean().default(false).describe("Whether dtypes that loading would convert are refused"),
  sameTies: z.boolean().default(false).describe("Whether names that share one tensor in the model must do so in the checkpoint"),
  ...loadShape,
});

/**
 * Tells before anything is loaded whether a checkpoint fits the model, or another checkpoint: names, shapes, dtypes and ties,
 * from headers alone. It takes the options of the loading strategies, so that migrations can be tried dry.
 *
 * @example await new CompatibleCheck({ like: "previous.ckpt", migrations: [{ stripPrefix: "model" }] }).process(context);
 */
export class CompatibleCheck extends CheckpointCheck {
  static override readonly description = "Refuses a checkpoint that does not fit the model, from headers alone";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "CompatibleCheck");
  }

  /** @throws {CheckpointIncompatibleError} INCOMPATIBLE with every difference */
  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const checkpoint = context.requireCheckpoint(this.name, this.options.from);
    if (this.options.like === undefined)
      return this.#compare(context, checkpoint, { model: context.require(this.name, "model"), name: "the model" }, stage);
    const other = await openUri(context.require(this.name, "platform"), this.options.like, { signal: stage.signal });
    try {
      return this.#compare(context, checkpoint, { model: ReferenceModel.like(other), name: other.uri }, stage);
    } finally {
      await other.close();
    }
  }

  #compare(
    context: CheckpointContext,
    checkpoint: Checkpoint,
    like: { model: ModelAdapter; name: string },
    stage: StageOptions,
  ): CheckpointContext {
    const { strict, sameDtypes, sameTies } = this.options;
    const plan = planFor(checkpoint, like.model, this.options);
    for (const notice of plan.notices) stage.onNotice?.(notice);
    const { missingKeys, unexpectedKeys, shapeMismatches } = plan.differences;
    const converted = convertedDtypes(plan);
    const problems = {
      missingKeys: strict ? missingKeys : [],
      unexpectedKeys: strict ? unexpectedKeys : [],
      shapeMismatches,
      dtypeMismatches: [...plan.differences.dtypeMismatches, ...(sameDtypes ? converted : [])],
      tieMismatches: sameTies ? plan.brokenTies : [],
    };
    if (Object.values(problems).some((found) => found.length > 0)) throw incompatibleError(problems, adviceFor(plan.differences));
    return recordCheck(context, "compatible", {
      checkpoint: checkpoint.uri,
      like: like.name,
      tensors: plan.values.size,
      missing_keys: missingKeys,
      unexpected_keys: unexpectedKeys,
      converted: converted.map(({ name, expected, found }) => ({ name, expected, found })),
    });
  }
}

/** Tensors that fit, and that loading would convert to the model's dtype. */
function convertedDtypes({ model, values, differences }: LoadPlan): Mismatch<string>[] {
  const own = model.stateDict();
  const unfit = new Set([...differences.shapeMismatches, ...differences.dtypeMismatches].map(({ name }) => name));
  return [...values].flatMap(([name, { dtype }]): Mismatch<string>[] => {
    const expected = own.get(name)?.dtype;
    return expected === undefined || expected === dtype || unfit.has(name) ? [] : [{ name, expected, found: dtype }];
  });
}
