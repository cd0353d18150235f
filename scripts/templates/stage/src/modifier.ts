import type { TensorData } from "@ckptkit/core";
import { type CheckpointContext, ModelModifier, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { chooseTensors, selectionOptions } from "../modifying/choose-tensors.js";
import { recordModifier, requireLoadedModel } from "../modifying/model-stage.js";
import { parseOptions } from "../options.js";

const options = z.strictObject({ ...selectionOptions });

/** The sign is the highest bit of a little-endian float's last byte. */
const SIGN = 0x80;

/**
 * Turns the sign of the model's F32 tensors, when somebody reads them.
 *
 * @example new TemplateNameModifier({ include: ["encoder.*"] });
 */
export class TemplateNameModifier extends ModelModifier {
  static override readonly description = "Turns the sign of the model's F32 tensors";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "TemplateNameModifier");
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
   * @throws {CheckpointValidationError} WEIGHTS_NOT_LOADED, UNKNOWN_TENSOR
   */
  async process(context: CheckpointContext, { signal }: StageOptions = {}): Promise<CheckpointContext> {
    signal?.throwIfAborted();
    const model = requireLoadedModel(context, this.name);
    const tensors = chooseTensors(model, { ...this.options, buffers: false, minDims: 0 }, this.name).filter(
      ({ data }) => data.dtype === "F32",
    );
    model.replaceTensors(new Map(tensors.flatMap(({ names, data }) => names.map((name) => [name, negated(data)] as const))));
    return recordModifier(context, { type: "template_name", tensors: tensors.length });
  }
}

function negated(tensor: TensorData): TensorData {
  const { dtype, shape, byteLength } = tensor;
  return {
    dtype,
    shape,
    byteLength,
    async readInto(target, start = 0, options) {
      await tensor.readInto(target, start, options);
      for (let at = 0; at < target.length; at++) if ((start + at) % 4 === 3) target[at] = (target[at] ?? 0) ^ SIGN;
    },
  };
}
