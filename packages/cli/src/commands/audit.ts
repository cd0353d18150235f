import { CheckpointError } from "@ckptkit/core";
import { AUDIT_RULES, type Audit, type AuditOptions, auditSource, type Verdict } from "@ckptkit/inspect/audit";
import { nodePlatform } from "@ckptkit/node";
import { expand } from "../audit/expand.js";
import { readPolicy } from "../audit/read-policy.js";
import { sarifLog } from "../audit/sarif.js";
import type { CommandContext, CommonFlags } from "../command-context.js";
import type { LimitFlags } from "../limit-option.js";
import { checkUri } from "../open.js";
import { EXIT } from "../output/errors.js";
import { findingsText } from "../output/findings.js";
import { writeJson } from "../output/json.js";
import { printable } from "../output/printable.js";
import { showProgress } from "../output/progress.js";
import { plural } from "../output/sizes.js";

/** What `ckpt audit` takes. */
export interface AuditFlags extends CommonFlags, LimitFlags {
  sarif?: boolean;
  policy?: string;
  strict?: boolean;
}

/** Tells what files would import and call when Python loads them. The exit code follows the worst verdict. */
export async function audit(uris: readonly string[], flags: AuditFlags, context: CommandContext, version: string): Promise<number> {
  const { out, signal } = context;
  for (const uri of uris) checkUri(uri);
  const policy = flags.policy === undefined ? {} : await readPolicy(flags.policy);
  const expanded = await Promise.all(uris.map(expand));
  const isOne = expanded.length === 1 && expanded[0]?.isFolder === false;
  const audits: Audit[] = [];
  for (const file of expanded.flatMap(({ files }) => files)) {
    signal.throwIfAborted();
    const result = await auditFile(file, { policy, limits: flags.limit }, context, isOne);
    audits.push(result);
    if (!flags.json && !flags.sarif) writeAudit(result, flags.verbose ?? false, context);
  }
  if (flags.sarif) writeJson(out, sarifLog(audits, version));
  else if (flags.json && isOne && audits[0]) writeJson(out, audits[0]);
  else if (flags.json) out.write(`${JSON.stringify(audits, undefined, 2)}\n`);
  else if (audits.length !== 1) writeSummary(audits, context);
  return exitCodeOf(audits, flags.strict ?? false);
}

async function auditFile(
  file: string,
  how: Pick<AuditOptions, "policy" | "limits">,
  { err, signal }: CommandContext,
  isOne: boolean,
): Promise<Audit> {
  const progress = showProgress(err);
  try {
    const source = await nodePlatform().open(file, { signal });
    try {
      return await auditSource(source, { ...how, signal, onProgress: progress.onProgress });
    } finally {
      await source.close?.();
    }
  } catch (error) {
    // Of many files, one that cannot be reached must not hide what the others are.
    if (isOne || signal.aborted || !(error instanceof CheckpointError)) throw error;
    const message = `${error.code}: ${error.message}`;
    const findings = [{ rule: "reader-refused", severity: "error" as const, message, at: file }];
    return { uri: file, verdict: "inconclusive", reason: `It could not be read. ${error.message}`, globals: [], findings };
  } finally {
    progress.stop();
  }
}

function exitCodeOf(audits: readonly Audit[], isStrict: boolean): number {
  const has = (...verdicts: Verdict[]): boolean => audits.some(({ verdict }) => verdicts.includes(verdict));
  if (has("dangerous", "suspicious")) return EXIT.problem;
  if (has("inconclusive")) return EXIT.unusable;
  return isStrict && has("unknown") ? EXIT.problem : EXIT.good;
}

/** Verdict and reason, then the findings that led to it, and what to do. */
function writeAudit({ uri, verdict, reason, globals, findings }: Audit, isVerbose: boolean, { out }: CommandContext): void {
  const { colors } = out;
  const style = {
    clean: colors.green,
    unknown: colors.cyan,
    inconclusive: colors.yellow,
    suspicious: colors.yellow,
    dangerous: colors.red,
  };
  let text = `${style[verdict](verdict)} ${printable(uri)}\n  ${printable(reason)}\n`;
  const shown = isVerbose ? findings : findings.filter(({ severity }) => severity !== "info");
  for (const line of findingsText(shown, out, isVerbose).split("\n")) if (line !== "") text += `  ${line}\n`;
  if (isVerbose) {
    for (const { module, name, verdict: judged, places, reason: why } of globals) {
      text += `  ${style[judged](judged)} ${printable(`${module}.${name}`)} ${colors.dim(`${printable(places[0] ?? "")}: ${why}`)}\n`;
    }
  }
  if (verdict !== "clean") {
    for (const advice of new Set(shown.map(({ rule }) => AUDIT_RULES[rule]?.advice).filter((one) => one !== undefined))) {
      text += `  ${colors.cyan("try:")} ${advice}\n`;
    }
  }
  out.write(text);
}

function writeSummary(audits: readonly Audit[], { out }: CommandContext): void {
  const counts = new Map<Verdict, number>();
  for (const { verdict } of audits) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const parts = [...counts].map(([verdict, count]) => `${count} ${verdict}`);
  out.write(`\n${plural(audits.length, "file")}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}\n`);
}
