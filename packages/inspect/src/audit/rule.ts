import type { Severity } from "@ckptkit/core";
import type { Verdict } from "./verdict.js";

/** One rule of the audit, for people. */
export interface AuditRule {
  /** What a finding of it makes of the file, at the least. `clean` has no consequence. */
  readonly verdict: Verdict;
  readonly severity: Severity;
  /** What it means, in a sentence. */
  readonly means: string;
  /** What to do. */
  readonly advice: string;
}
