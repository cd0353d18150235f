import { readFile } from "node:fs/promises";
import { CheckpointConfigError, CheckpointNotFoundError } from "@ckptkit/core";
import { AUDIT_RULES, type AuditPolicy, VERDICTS } from "@ckptkit/inspect/audit";
import { parseDocument } from "yaml";
import * as z from "zod";

const GLOBAL = z.string().regex(/^[^\s*]+\.(?:[^\s*]+|\*)$/, "expected module.name, or module.* for all of a module");

/** What a policy's file may hold. */
const POLICY = z.strictObject({
  allow: z.array(GLOBAL).optional(),
  deny: z.array(GLOBAL).optional(),
  rules: z.record(z.string(), z.enum(VERDICTS)).optional(),
});

/**
 * Reads a policy from a YAML or JSON file, and checks it.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointConfigError} CONFIG_SYNTAX, CONFIG_INVALID
 */
export async function readPolicy(file: string): Promise<AuditPolicy> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CheckpointNotFoundError("NOT_FOUND", `The policy ${file} could not be read.`, { cause });
  });
  const document = parseDocument(text);
  const [defect] = document.errors;
  if (defect) throw new CheckpointConfigError("CONFIG_SYNTAX", `${file} is not valid YAML or JSON: ${defect.message}`, { cause: defect });
  const parsed = POLICY.safeParse(document.toJS() ?? {});
  const unknown = Object.keys(parsed.data?.rules ?? {}).filter((rule) => !Object.hasOwn(AUDIT_RULES, rule));
  const issues = [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`),
    ...unknown.map((rule) => `rules.${rule}: there is no rule of this name`),
  ];
  if (parsed.data && issues.length === 0) return parsed.data;
  throw new CheckpointConfigError("CONFIG_INVALID", `The policy ${file} is not valid:\n${issues.join("\n")}`, {
    details: { file, issues },
    suggestions: ["A policy has the lists allow and deny, of module.name or module.*, and rules: a verdict for names of rules."],
  });
}
