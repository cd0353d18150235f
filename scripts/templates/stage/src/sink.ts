import { type CheckpointContext, CheckpointSink, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { parseOptions } from "../options.js";
import { fileNameOf } from "../sink/file-name.js";

const options = z.strictObject({
  path: z.string().min(1).describe("Path or address to write to"),
});

/**
 * Writes the names of a checkpoint's tensors, one a line.
 *
 * @example await new TemplateNameSink({ path: "names.txt" }).process(context);
 */
export class TemplateNameSink extends CheckpointSink {
  static override readonly description = "Writes the names of the checkpoint's tensors, one a line";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options>) {
    super();
    this.options = parseOptions(options, input, "TemplateNameSink");
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
   * @throws {CheckpointSourceError} ACCESS_DENIED, NO_SPACE, DESTINATION_EXISTS, WRITE_FAILED
   */
  async process(context: CheckpointContext, { signal }: StageOptions = {}): Promise<CheckpointContext> {
    const { tensors } = context.requireCheckpoint(this.name);
    const platform = context.require(this.name, "platform");
    signal?.throwIfAborted();
    const sink = await platform.create(this.options.path);
    try {
      await sink.write(new TextEncoder().encode(tensors.map(({ path }) => `${path}\n`).join("")));
      await sink.commit();
    } catch (error) {
      await sink.abort();
      throw error;
    }
    return context.withMetadata({ template_name: fileNameOf(this.options.path) });
  }
}
