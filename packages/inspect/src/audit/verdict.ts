import type { Finding } from "@ckptkit/core";

/** What an audit concludes, of a name or of a file. */
export type Verdict = "clean" | "unknown" | "inconclusive" | "suspicious" | "dangerous";

/** From the best to the worst. */
export const VERDICTS: readonly Verdict[] = ["clean", "unknown", "inconclusive", "suspicious", "dangerous"];

/** The worse one of two. */
export const worse = (a: Verdict, b: Verdict): Verdict => (VERDICTS.indexOf(b) > VERDICTS.indexOf(a) ? b : a);

/** A name that a file would have imported. */
export interface AuditedGlobal {
  /** As the file spells it. */
  module: string;
  name: string;
  verdict: Verdict;
  /** Why, in a few words. */
  reason: string;
  /** Where it stands: the pickle, and the byte in it. The first 20; `uses` counts all. */
  places: string[];
  uses: number;
}

/** What `ckpt audit --json` prints of one file. */
export interface Audit {
  uri: string;
  verdict: Verdict;
  /** One line for a person. */
  reason: string;
  /** The worst first. */
  globals: AuditedGlobal[];
  /** The gravest first. */
  findings: Finding[];
}

/** A user's own judgement, which goes before the built-in one. */
export interface AuditPolicy {
  /** Names that are taken as clean: `module.name`, or `module.*` for all of a module. */
  allow?: readonly string[] | undefined;
  /** Names that are taken as dangerous, before `allow`. */
  deny?: readonly string[] | undefined;
  /** What a finding of a rule leads to, in the place of the built-in verdict: `clean` leaves it without consequence. */
  rules?: Readonly<Record<string, Verdict>> | undefined;
}
