import { labelText, type StageLabel } from "@ckptkit/catalog";
import type { CheckpointError } from "@ckptkit/core";
import type { PipelineEvent } from "@ckptkit/core/pipeline";
import type { CommandContext } from "../command-context.js";
import { printable } from "../output/printable.js";
import { type ProgressDisplay, showProgress } from "../output/progress.js";
import { durationText } from "../output/sizes.js";
import { cutMiddle } from "../output/width.js";

/** How a stage of a run ended. */
export interface StageRecord extends StageLabel {
  status: "completed" | "failed" | "skipped";
  durationMs: number;
  error?: CheckpointError;
}

/** Follows a run: one line a stage when it ends; on a terminal its progress while it runs. */
export class StageLines {
  readonly records: StageRecord[];
  readonly #context: CommandContext;
  readonly #labels: readonly StageLabel[];
  readonly #isSilent: boolean;
  readonly #width: number;
  #progress: ProgressDisplay | undefined;

  /** @param options.silent prints nothing: the records are all that is wanted. */
  constructor(labels: readonly StageLabel[], context: CommandContext, { silent }: { silent: boolean }) {
    this.#labels = labels;
    this.#context = context;
    this.#isSilent = silent;
    this.#width = Math.max(0, ...labels.map((label) => labelText(label).length));
    this.records = labels.map((label) => ({ ...label, status: "skipped", durationMs: 0 }));
  }

  /** @param summarize tells what the stage did, when it has ended well. */
  onEvent(event: PipelineEvent, summarize: () => string): void {
    const { index } = event;
    switch (event.type) {
      case "stage:start":
        if (!this.#isSilent) this.#progress = showProgress(this.#context.err);
        return;
      case "stage:progress":
        this.#progress?.onProgress?.(event.progress);
        return;
      case "stage:notice":
        if (!this.#isSilent) this.#notice(event.notice.level, event.notice.message);
        return;
      case "stage:end":
        this.stop();
        this.#end(index, event.status, event.durationMs, event.error, summarize);
    }
  }

  /** Removes what shows progress. */
  stop(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }

  #notice(level: "info" | "warning", message: string): void {
    const { err } = this.#context;
    const { colors } = err;
    err.write(`${level === "warning" ? colors.yellow("warning") : colors.cyan("info")}: ${printable(message)}\n`);
  }

  #end(
    index: number,
    status: "completed" | "failed",
    durationMs: number,
    error: CheckpointError | undefined,
    summarize: () => string,
  ): void {
    const record = this.records[index];
    if (!record) return;
    Object.assign(record, { status, durationMs, ...(error && { error }) });
    if (this.#isSilent) return;
    const { out } = this.#context;
    const { colors } = out;
    const mark = status === "completed" ? colors.green("ok    ") : colors.red("failed");
    const place = `${index + 1}/${this.#labels.length}`.padStart(2 * String(this.#labels.length).length + 1);
    const label = labelText(record).padEnd(this.#width);
    const head = `${place}  ${label}  `;
    const time = durationText(durationMs).padStart(7);
    const room = out.width - head.length - 6 - 2 - time.length - 2;
    const text = printable(error ? error.code : summarize());
    const shown = text.length > 0 && room >= 10 ? `  ${room < Number.POSITIVE_INFINITY ? cutMiddle(text, room) : text}` : "";
    out.write(`${colors.dim(place)}  ${label}  ${mark}  ${colors.dim(time)}${shown}\n`);
  }
}
