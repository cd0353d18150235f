import { type ByteSource, CheckpointError, cacheSource, type Limits, type OperationOptions, withLimits } from "@ckptkit/core";
import { auditContent } from "./audit-content.js";
import { AuditLog } from "./audit-log.js";
import type { Audit, AuditPolicy } from "./verdict.js";

/** How to audit. */
export interface AuditOptions extends OperationOptions {
  policy?: AuditPolicy | undefined;
  limits?: Partial<Limits> | undefined;
}

/**
 * Tells what would be imported and called by whoever loads a file with Python, and whether it may be trusted: every name and call in every
 * pickle, the consistency of archives, content under wrong names, containers within containers. The pickle machine and the zip
 * reader that open checkpoints do the looking; nothing is imported, called or unpacked to disk.
 *
 * Works on any bytes, and throws for none: what cannot be read is `inconclusive`, never `clean`. Reads descriptions and pickles, not the
 * tensors. Does not close the source.
 *
 * @throws {CheckpointSourceError} when the source cannot be read
 * @example
 * const { verdict, reason } = await auditSource(blobSource(file));
 */
export async function auditSource(source: ByteSource, options: AuditOptions = {}): Promise<Audit> {
  const log = new AuditLog(options.policy ?? {}, withLimits(options.limits), options);
  const name = source.name.replace(/^.*[/\\]/, "") || source.name;
  try {
    await auditContent(cacheSource(source), name, log);
  } catch (error) {
    // Bytes that cannot be had are the caller's business; all else is a finding.
    if (!(error instanceof CheckpointError) || "retryable" in error) throw error;
    log.note(error.code === "LIMIT_EXCEEDED" ? "limit-reached" : "reader-refused", `${error.code}: ${error.message}`, name);
  }
  options.onProgress?.({ phase: "audit", done: 1, total: 1, item: name });
  return { uri: source.name, ...log.conclude(), globals: log.globals(), findings: log.findings() };
}
