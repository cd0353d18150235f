import { CheckpointConfigError, CheckpointError } from "@ckptkit/core";
import { type CheckpointContext, type ModelAdapter, ModelModifier, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { recordModifier, requireModel } from "../modifying/model-stage.js";
import { parseOptions } from "../options.js";

const options = z.strictObject({
  submodulesToFreeze: z.array(z.string().min(1)).describe("Full dotted paths of the modules to freeze, each with everything below it."),
  strict: z.boolean().default(false).describe("Whether a path that the model does not have is an error, and not only a notice."),
  validateGradients: z.boolean().default(true).describe("Whether to look afterwards that nothing frozen is still trainable."),
});

/**
 * Freezes parts of a model: their parameters are not trained any more. A path must be the full one: `layers` does not stand for
 * `encoder.layers`. Records the number of parameters that were frozen; a module that was frozen before counts 0.
 *
 * @example new FreezingModifier({ submodulesToFreeze: ["encoder", "decoder.layers.0"] });
 */
export class FreezingModifier extends ModelModifier {
  static override readonly description = "Freezes parts of the model, so that they are not trained";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  constructor(input: z.input<typeof options>) {
    super();
    this.options = parseOptions(options, input, "FreezingModifier");
  }

  /** @throws {CheckpointError} see {@link processSync} */
  async process(context: CheckpointContext, stage: StageOptions): Promise<CheckpointContext> {
    return this.processSync(context, stage);
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE without a model; UNKNOWN_MODULE when `strict` and a path is not there, before
   * anything is frozen
   * @throws {CheckpointError} FREEZING_FAILED when something frozen is still trainable
   */
  processSync(context: CheckpointContext, stage: StageOptions): CheckpointContext {
    const model = requireModel(context, this.name);
    const { submodulesToFreeze: paths, strict, validateGradients } = this.options;
    if (paths.length === 0) return context;
    const missing = paths.filter((path) => !model.submodule(path));
    for (const path of missing) {
      if (strict) throw unknownModule(path, model);
      stage.onNotice?.({ level: "warning", message: `${noModule(path)} It is not frozen.` });
    }
    const found = paths.filter((path) => !missing.includes(path));
    const frozen = found.map((name) => ({ name, frozen_params: model.setRequiresGrad(name, false) }));
    if (validateGradients) checkFrozen(found, model);
    return recordModifier(context, {
      type: "freezing",
      submodules: paths,
      frozen_modules: frozen,
      total_frozen_params: frozen.reduce((sum, { frozen_params }) => sum + frozen_params, 0),
    });
  }
}

const noModule = (path: string): string => `The model has no module at the path ${JSON.stringify(path)}.`;

function unknownModule(path: string, model: ModelAdapter): CheckpointConfigError {
  const ends = new Set<string>();
  for (const { name } of model.namedParameters()) {
    const at = `.${name}`.indexOf(`.${path}.`);
    if (at > 0) ends.add(name.slice(0, at + path.length));
  }
  return new CheckpointConfigError("UNKNOWN_MODULE", noModule(path), {
    details: { path },
    suggestions: [
      ...(ends.size > 0 ? [`Full paths are needed. Did you mean: ${[...ends].slice(0, 5).join(", ")}?`] : []),
      "Set strict: false to freeze what is there and go on.",
    ],
  });
}

function checkFrozen(paths: readonly string[], model: ModelAdapter): void {
  const trainable = paths.flatMap(
    (path) =>
      model
        .submodule(path)
        ?.parameters()
        .filter(({ requiresGrad }) => requiresGrad) ?? [],
  );
  if (trainable.length === 0) return;
  const names = trainable.map(({ name }) => name);
  throw new CheckpointError(
    "FREEZING_FAILED",
    `${names.length} parameters are still trainable after they were frozen: ${names.slice(0, 5).join(", ")}${names.length > 5 ? " ..." : ""}.`,
    { details: { parameters: names } },
  );
}
