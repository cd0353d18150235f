export { allowedNames } from "./allow-list.js";
export { type AuditOptions, auditSource } from "./audit.js";
export { type Judgement, judgeGlobal } from "./judge-global.js";
export type { AuditRule } from "./rule.js";
export { AUDIT_RULES } from "./rules.js";
export { type Audit, type AuditedGlobal, type AuditPolicy, VERDICTS, type Verdict } from "./verdict.js";
