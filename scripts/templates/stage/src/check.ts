import { CheckpointCheck, type CheckpointContext, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { checkFailed, recordCheck } from "../inspecting/check-result.js";
import { chooseShape, selectionOf, subjectOf, subjectShape } from "../inspecting/subject.js";
import { parseOptions } from "../options.js";

const options = z.strictObject({
  maxTensors: z.int().positive().default(100_000).describe("Tensors that a checkpoint may have"),
  ...subjectShape,
  ...chooseShape,
});

/**
 * Refuses a checkpoint with more tensors than `maxTensors`. Reads nothing.
 *
 * @example await new TemplateNameCheck({ maxTensors: 1000 }).process(context);
 */
export class TemplateNameCheck extends CheckpointCheck {
  static override readonly description = "Refuses checkpoints with too many tensors";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "TemplateNameCheck");
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
   * @throws {CheckpointValidationError} CHECK_FAILED
   */
  async process(context: CheckpointContext, { signal }: StageOptions = {}): Promise<CheckpointContext> {
    signal?.throwIfAborted();
    const subject = subjectOf(context, this.options, this.name);
    const select = selectionOf(this.options);
    const tensors = subject.tensors.filter((tensor) => select?.(tensor) ?? true);
    if (tensors.length > this.options.maxTensors) {
      throw checkFailed(`${subject.uri} has ${tensors.length} tensors`, [{ expected: this.options.maxTensors, found: tensors.length }], {
        describe: ({ expected }) => `${expected} are allowed`,
        suggestions: ["Raise maxTensors, or choose tensors with include."],
      });
    }
    return recordCheck(context, "template_name", { of: subject.uri, tensors: tensors.length });
  }
}
