import type { Finding, Severity } from "@ckptkit/core";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText } from "./sizes.js";

/** More than these are counted, and shown with --verbose. */
const FINDINGS_SHOWN = 20;

const ORDER: readonly Severity[] = ["error", "warning", "info"];

/** Findings as lines, the gravest first: `warning[rule]: what was found (where)`. */
export function findingsText(findings: readonly Finding[], screen: Screen, verbose: boolean): string {
  const { colors } = screen;
  const style = { error: colors.red, warning: colors.yellow, info: colors.cyan };
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  const shown = verbose ? sorted : sorted.slice(0, FINDINGS_SHOWN);
  const lines = shown.map(({ severity, rule, message, at }) => {
    const where = at === undefined || message.includes(at) ? "" : colors.dim(` (${printable(at)})`);
    return `${style[severity](`${severity}[${printable(rule)}]`)}: ${printable(message)}${where}\n`;
  });
  if (shown.length < sorted.length) lines.push(`... and ${countText(sorted.length - shown.length)} more: --verbose shows all\n`);
  return lines.join("");
}

/** Tells of warnings and errors where a command's own output has no place for them; notes as well with `verbose`. */
export function warnOfFindings(findings: readonly Finding[], screen: Screen, verbose: boolean): void {
  const grave = verbose ? findings : findings.filter(({ severity }) => severity !== "info");
  if (grave.length > 0) screen.write(findingsText(grave, screen, verbose));
}

/** Whether a part of the checkpoint cannot be trusted or was not read. */
export const hasErrors = (findings: readonly Finding[]): boolean => findings.some(({ severity }) => severity === "error");
