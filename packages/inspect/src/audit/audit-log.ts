import type { ByteSource, Finding, Limits, OperationOptions } from "@ckptkit/core";
import type { ContentKind } from "./content-kind.js";
import { type Judgement, judgeGlobal } from "./judge-global.js";
import { AUDIT_RULES } from "./rules.js";
import { type AuditedGlobal, type AuditPolicy, VERDICTS, type Verdict, worse } from "./verdict.js";

/** Places of one name that are listed. */
const PLACES_LISTED = 20;
/** Findings of one rule that are listed one by one. */
const FINDINGS_PER_RULE = 50;
/** Names that one finding lists. */
const NAMES_LISTED = 8;

const SEVERITIES = ["error", "warning", "info"];

/** What content turned out to be. */
export interface AuditedContent {
  readonly kind: ContentKind;
  /** Keys of the storages that its pickles refer to. */
  readonly storages?: ReadonlySet<string> | undefined;
}

/** Audits content of any kind: what archives do with their members. `where` names it in findings. */
export type AuditContent = (source: ByteSource, where: string, log: AuditLog, depth: number) => Promise<AuditedContent>;

/** What an audit has seen so far. */
export class AuditLog {
  readonly policy: AuditPolicy;
  readonly limits: Limits;
  readonly options: OperationOptions;
  verdict: Verdict = "clean";
  /** Bytes that are unpacked in memory now, and all that were. */
  unpacked = { held: 0, total: 0, depth: 0 };
  readonly #globals = new Map<string, AuditedGlobal>();
  readonly #findings: Finding[] = [];
  readonly #perRule = new Map<string, number>();

  constructor(policy: AuditPolicy, limits: Limits, options: OperationOptions) {
    this.policy = policy;
    this.limits = limits;
    this.options = options;
  }

  /** What a finding of a rule makes of a file. */
  verdictOf(rule: string): Verdict {
    const { rules = {} } = this.policy;
    return (
      (Object.hasOwn(rules, rule) ? rules[rule] : undefined) ??
      (Object.hasOwn(AUDIT_RULES, rule) ? AUDIT_RULES[rule]?.verdict : undefined) ??
      "clean"
    );
  }

  /** Notes a finding of a rule of the audit. */
  note(rule: string, message: string, at: string): void {
    this.pass({ rule, severity: AUDIT_RULES[rule]?.severity ?? "warning", message, at });
  }

  /** Notes a finding as it is. */
  pass(finding: Finding): void {
    this.verdict = worse(this.verdict, this.verdictOf(finding.rule));
    const before = this.#perRule.get(finding.rule) ?? 0;
    this.#perRule.set(finding.rule, before + 1);
    if (before < FINDINGS_PER_RULE) this.#findings.push(finding);
  }

  /** Notes one use of a name, and gives what it is judged to be. */
  use(module: string, name: string, place: string): Judgement {
    const key = `${module.length} ${module} ${name}`;
    const known = this.#globals.get(key);
    if (known) {
      known.uses++;
      if (known.places.length < PLACES_LISTED && known.places.at(-1) !== place) known.places.push(place);
      return known;
    }
    const judgement = judgeGlobal(module, name, this.policy);
    this.#globals.set(key, { module, name, ...judgement, places: [place], uses: 1 });
    return judgement;
  }

  /** Whether a rule has been noted. */
  hasSeen(rule: string): boolean {
    return this.#perRule.has(rule);
  }

  /** A log of its own, for a look ahead. */
  silent(): AuditLog {
    const log = new AuditLog(this.policy, this.limits, this.options);
    log.unpacked = this.unpacked;
    return log;
  }

  /** Whether a name is suspicious or dangerous. */
  isBad(module: string, name: string): boolean {
    const { verdict } = judgeGlobal(module, name, this.policy);
    return verdict === "suspicious" || verdict === "dangerous";
  }

  /** Every name, the worst first. */
  globals(): AuditedGlobal[] {
    return [...this.#globals.values()].sort((a, b) => VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict));
  }

  /** Every finding, with those that the names give, the gravest first. */
  findings(): Finding[] {
    const all: Finding[] = [];
    const globals = this.globals();
    for (const { module, name, verdict, reason, places } of globals) {
      if (verdict !== "dangerous" && verdict !== "suspicious") continue;
      const message = `${module}.${name} would be imported by whoever loads this: ${reason}.`;
      all.push({ rule: `${verdict}-global`, severity: verdict === "dangerous" ? "error" : "warning", message, at: places[0] ?? "" });
    }
    const unknown = globals.filter(({ verdict }) => verdict === "unknown").map(({ module, name }) => `${module}.${name}`);
    if (unknown.length > 0) {
      const message = `${unknown.length} ${unknown.length === 1 ? "name is" : "names are"} not known here: ${listed(unknown)}.`;
      all.push({
        rule: "unknown-global",
        severity: "info",
        message,
        at: globals.find(({ verdict }) => verdict === "unknown")?.places[0] ?? "",
      });
    }
    all.push(...this.#findings);
    for (const [rule, times] of this.#perRule) {
      if (times <= FINDINGS_PER_RULE) continue;
      all.push({ rule, severity: "info", message: `${times - FINDINGS_PER_RULE} more findings of this rule are not listed.` });
    }
    return all.sort((a, b) => this.#gravity(a) - this.#gravity(b));
  }

  /** The file's verdict: the worst of its names and findings. */
  conclude(): { verdict: Verdict; reason: string } {
    const globals = this.globals();
    const verdict = globals.reduce((worst, one) => worse(worst, this.#globalVerdict(one.verdict)), this.verdict);
    return { verdict, reason: this.#reason(verdict, globals) };
  }

  /** A policy may also say what names of a kind lead to. */
  #globalVerdict(verdict: Verdict): Verdict {
    return verdict === "clean" ? "clean" : (this.policy.rules?.[`${verdict}-global`] ?? verdict);
  }

  #reason(verdict: Verdict, globals: readonly AuditedGlobal[]): string {
    const names = globals.filter((one) => one.verdict === verdict).map(({ module, name }) => `${module}.${name}`);
    const cause = this.#findings.find(({ rule }) => this.verdictOf(rule) === verdict);
    switch (verdict) {
      case "clean":
        return globals.length === 0
          ? "It holds data only: nothing would be imported or called."
          : "Everything that it imports is known to be harmless.";
      case "unknown":
        if (names.length > 0)
          return `It imports names that are not known here (${listed(names, 3)}), and nothing that is known to be harmful.`;
        break;
      case "dangerous":
        if (names.length > 0) return `Loading it with Python would import ${listed(names, 3)}, which can run code.`;
        break;
      case "suspicious":
        if (names.length > 0) return `It imports ${listed(names, 3)}, which checkpoints do not need.`;
        break;
      case "inconclusive":
        return `Not all of it could be looked at. ${cause?.message ?? ""}`.trim();
    }
    return cause?.message ?? "";
  }

  #gravity({ rule, severity }: Finding): number {
    return -10 * VERDICTS.indexOf(this.verdictOf(rule)) + SEVERITIES.indexOf(severity);
  }
}

function listed(names: readonly string[], most = NAMES_LISTED): string {
  const rest = names.length - most;
  return `${names.slice(0, most).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
