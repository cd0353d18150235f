import type { Json } from "@ckptkit/core";
import { CheckpointCheck, type CheckpointContext, type StageOptions } from "@ckptkit/core/pipeline";
import { checkFinite } from "@ckptkit/inspect";
import * as z from "zod";
import { checkFailed, recordCheck } from "../inspecting/check-result.js";
import { chooseShape, selectionOf, subjectOf, subjectShape } from "../inspecting/subject.js";
import { kernelsOf, poolOf } from "../kernels-of.js";
import { parseOptions } from "../options.js";

const options = z.strictObject({
  allowInfinite: z.boolean().default(false).describe("Whether infinities pass; NaN never does"),
  ...subjectShape,
  ...chooseShape,
});

/**
 * Checks that no tensor holds NaN or infinities: of the checkpoint, or of the model once weights have been loaded. Reads every
 * tensor once, in constant memory, and tells all findings at once.
 *
 * @example await new FiniteCheck({ exclude: ["*.attn_mask"] }).process(context);
 */
export class FiniteCheck extends CheckpointCheck {
  static override readonly description = "Refuses tensors that hold NaN or infinities";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "FiniteCheck");
  }

  /** @throws {CheckpointValidationError} CHECK_FAILED with every tensor and what it holds */
  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const subject = subjectOf(context, this.options, this.name);
    const { signal, onProgress } = stage;
    const kernels = await kernelsOf(context);
    const select = selectionOf(this.options);
    const pool = await poolOf(context, subject, select);
    const report = await checkFinite(subject, { kernels, pool, select, signal, onProgress });
    const problems = report.tensors.flatMap(({ path, nan, posInf, negInf }): Problem[] =>
      nan > 0 || (!this.options.allowInfinite && posInf + negInf > 0) ? [{ tensor: path, nan, posInf, negInf }] : [],
    );
    if (problems.length > 0) {
      throw checkFailed(
        `${problems.length} of the ${report.tensors.length} tensors of ${subject.uri} hold numbers that are not finite`,
        problems,
        {
          describe: describeProblem,
          suggestions: ["Go back to a checkpoint from before the training diverged."],
        },
      );
    }
    const skipped = report.skipped.map(({ path, dtype, reason }): Json => ({ tensor: path, dtype, reason }));
    if (skipped.length > 0)
      stage.onNotice?.({ level: "info", message: `${skipped.length} tensors cannot be scanned and were not checked.` });
    return recordCheck(context, "finite", { of: subject.uri, tensors: report.totals.tensors, numbers: report.totals.count, skipped });
  }
}

/** Numbers of one tensor that are not finite. */
type Problem = { tensor: string; nan: number; posInf: number; negInf: number };

const describeProblem = ({ tensor, nan, posInf, negInf }: Problem): string =>
  `${tensor} (${[nan > 0 && `${nan} NaN`, posInf > 0 && `${posInf} +Inf`, negInf > 0 && `${negInf} -Inf`].filter(Boolean).join(", ")})`;
