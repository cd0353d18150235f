import { type CheckpointContext, CheckpointSource, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { parseOptions } from "../options.js";
import { openIntoContext } from "../source/open-into-context.js";

const options = z.strictObject({
  folder: z.string().min(1).describe("Path or address of the folder that holds the checkpoint"),
  file: z.string().min(1).default("model.safetensors").describe("Name of the checkpoint in it"),
});

/**
 * Opens a checkpoint by its folder and its name, on whatever platform the context has.
 *
 * @example const source = new TemplateNameSource({ folder: "runs/7" });
 */
export class TemplateNameSource extends CheckpointSource {
  static override readonly description = "Opens a checkpoint by its folder and its name";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options>) {
    super();
    this.options = parseOptions(options, input, "TemplateNameSource");
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE without a platform
   * @throws {CheckpointSourceError} what the platform throws
   * @throws {CheckpointLoadError} what the format's reader throws
   */
  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const platform = context.require(this.name, "platform");
    const { folder, file } = this.options;
    const uri = `${folder.replace(/\/+$/, "")}/${file}`;
    return openIntoContext(
      context,
      uri,
      (address) => platform.open(address),
      ({ name }) => ({ source_type: "template_name", source_path: name }),
      stage,
    );
  }
}
