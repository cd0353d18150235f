import { type CheckpointContext, CheckpointSink, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { parseOptions } from "../options.js";
import { fileNameOf } from "../sink/file-name.js";
import { toMarkdown } from "../sink/markdown.js";
import { reportOf } from "../sink/pipeline-report.js";

const options = z.strictObject({
  path: z.string().min(1).describe("Path or address to write to"),
  format: z.enum(["json", "markdown"]).optional().describe("Markdown for names that end in .md, else JSON, when left out"),
});

/**
 * Writes what is known of a run so far: the checkpoint, the model, tensors, findings, metadata and the stages that have ended.
 *
 * @example await new ReportSink({ path: "report.md" }).process(context);
 */
export class ReportSink extends CheckpointSink {
  static override readonly description = "Writes a report of the run so far, as JSON or Markdown";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options>) {
    super();
    this.options = parseOptions(options, input, "ReportSink");
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
   * @throws {CheckpointSourceError} ACCESS_DENIED, NO_SPACE, DESTINATION_EXISTS, WRITE_FAILED
   */
  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const { path, format = /\.(?:md|markdown)$/i.test(fileNameOf(path)) ? "markdown" : "json" } = this.options;
    const platform = context.require(this.name, "platform");
    const report = reportOf(context);
    const text = format === "json" ? `${JSON.stringify(report, null, 2)}\n` : toMarkdown(report);
    stage.signal?.throwIfAborted();
    const sink = await platform.create(path);
    try {
      await sink.write(new TextEncoder().encode(text));
      await sink.commit();
    } catch (error) {
      await sink.abort();
      throw error;
    }
    return context.withMetadata({ report: fileNameOf(path) });
  }
}
