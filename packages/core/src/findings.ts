/** How much a {@link Finding} matters: an error means that a part of the file cannot be trusted or was not read. */
export type Severity = "info" | "warning" | "error";

/** Something about a checkpoint that a person should know, and that does not keep it from being opened. */
export interface Finding {
  /** Stable kebab-case name of the rule, for programs. */
  rule: string;
  severity: Severity;
  /** One sentence: what was found, and what it means. */
  message: string;
  /** Where: a path in the tree, a record name or a byte offset. */
  at?: string;
}
