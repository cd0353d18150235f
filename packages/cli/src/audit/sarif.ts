import { pathToFileURL } from "node:url";
import type { Finding } from "@ckptkit/core";
import { AUDIT_RULES, type Audit, type Verdict } from "@ckptkit/inspect/audit";
import type { Log, ReportingDescriptor, Result } from "sarif";

const LEVELS = { error: "error", warning: "warning", info: "note" } as const;

/** A rule's level where a finding of it does not say another. */
function levelOf(verdict: Verdict): "error" | "warning" | "note" {
  if (verdict === "dangerous") return "error";
  return verdict === "suspicious" || verdict === "inconclusive" ? "warning" : "note";
}

/**
 * Audits as a SARIF log, for code-scanning services.
 *
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function sarifLog(audits: readonly Audit[], version: string): Log {
  const used = [...new Set(audits.flatMap(({ findings }) => findings.map(({ rule }) => rule)))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "ckptkit", version, rules: used.map(describeRule) } },
        artifacts: audits.map(({ uri }) => ({ location: { uri: addressOf(uri) } })),
        results: audits.flatMap((audit, index) => audit.findings.map((finding) => resultOf(audit, index, finding, used))),
        properties: { audits: audits.map(({ uri, verdict, reason }) => ({ uri, verdict, reason })) },
      },
    ],
  };
}

function describeRule(id: string): ReportingDescriptor {
  const rule = AUDIT_RULES[id];
  if (!rule) return { id };
  return {
    id,
    shortDescription: { text: rule.means },
    help: { text: rule.advice },
    defaultConfiguration: { level: levelOf(rule.verdict) },
  };
}

function resultOf({ uri }: Audit, index: number, { rule, severity, message, at }: Finding, used: readonly string[]): Result {
  const byte = /byte (\d+)$/.exec(at ?? "")?.[1];
  return {
    ruleId: rule,
    ruleIndex: used.indexOf(rule),
    level: LEVELS[severity],
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: addressOf(uri), index },
          // An offset counts from the start of the file; within a member of an archive it is told in words.
          ...(byte !== undefined && at?.split("/").length === 1 ? { region: { byteOffset: Number(byte) } } : {}),
        },
        ...(at === undefined || at === "" ? {} : { logicalLocations: [{ fullyQualifiedName: at }] }),
      },
    ],
  };
}

/** A path as a URI reference: relative ones stay relative, so that services find them in the repository. */
function addressOf(uri: string): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(uri)) return encodeURI(uri);
  if (uri.startsWith("/") || /^[a-z]:[\\/]/i.test(uri)) return pathToFileURL(uri).href;
  return uri.split(/[/\\]/).map(encodeURIComponent).join("/");
}
