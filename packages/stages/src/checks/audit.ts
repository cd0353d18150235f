import type { Finding, Severity } from "@ckptkit/core";
import { CheckpointCheck, type CheckpointContext, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { checkFailed, recordCheck } from "../inspecting/check-result.js";
import { findGlobals } from "../inspecting/globals.js";
import { parseOptions } from "../options.js";

const SEVERITIES = ["info", "warning", "error"] as const satisfies readonly Severity[];

const options = z.strictObject({
  refuse: z.enum(SEVERITIES).default("error").describe("Findings of this severity and above are refused"),
  allow: z.array(z.string()).default([]).describe("Dotted names of classes and functions that are known to be harmless"),
  from: z
    .string()
    .optional()
    .describe("Name of the checkpoint to look at, as a source gave it (as); the pipeline's checkpoint when left out"),
});

/**
 * Refuses a checkpoint with suspicious findings: what its reader found, and the classes and functions that its pickle names and
 * that are not known to be harmless. Nothing of a pickle is ever run here; the check is for those who will load it in Python.
 *
 * @example await new AuditCheck({ refuse: "warning", allow: ["my_project.Config"] }).process(context);
 */
export class AuditCheck extends CheckpointCheck {
  static override readonly description = "Refuses a checkpoint whose pickle or container looks suspicious";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "AuditCheck");
  }

  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    return this.processSync(context, stage);
  }

  /** @throws {CheckpointValidationError} CHECK_FAILED with every finding that is refused */
  processSync(context: CheckpointContext, stage: StageOptions = {}): CheckpointContext {
    const checkpoint = context.requireCheckpoint(this.name, this.options.from);
    const findings = [...checkpoint.findings, ...findGlobals(checkpoint.tree, new Set(this.options.allow))];
    const rank = ({ severity }: Pick<Finding, "severity">): number => SEVERITIES.indexOf(severity);
    const refused = findings.filter((finding) => rank(finding) >= rank({ severity: this.options.refuse }));
    if (refused.length > 0) {
      throw checkFailed(
        `${checkpoint.uri} is refused for ${refused.length} findings`,
        refused.map(({ rule, severity, message, at }) => ({ rule, severity, message, ...(at !== undefined && { at }) })),
        {
          describe: describeFinding,
          suggestions: ["Do not load the file in Python before its origin is clear.", "Allow names that you know, with allow: [...]."],
        },
      );
    }
    const passed = findings.filter(({ severity }) => severity !== "info");
    for (const { message } of passed) stage.onNotice?.({ level: "warning", message });
    return recordCheck(context, "audit", { findings: findings.length, warnings: passed.map(({ message }) => message) });
  }
}

const describeFinding = ({ message, at }: Pick<Finding, "message" | "at">): string =>
  `${message.replace(/\.$/, "")}${at === undefined ? "" : ` (${at})`}`;
