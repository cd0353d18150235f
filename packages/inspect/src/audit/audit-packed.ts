import type { ByteSource, Bytes } from "@ckptkit/core";
import { innerName, packingOf, type Unpacked, unpackFile } from "@ckptkit/formats";
import type { AuditContent, AuditedContent, AuditLog } from "./audit-log.js";

/** Packed content in packed content that is followed. */
const MOST_DEPTH = 8;
/** All that one audit unpacks, as a multiple of what may be in memory at a time: so that many small bombs are not a large one. */
const MOST_ROUNDS = 8;

/** Unpacks content where that can be done here, and audits what comes out, as far as it comes; what cannot be unpacked is not known. */
export async function auditPacked(
  source: ByteSource,
  head: Bytes,
  where: string,
  log: AuditLog,
  depth: number,
  auditContent: AuditContent,
): Promise<AuditedContent> {
  const packing = packingOf(head);
  if (packing?.codec === undefined) {
    log.note("nested-container", `The content is packed by ${packing?.name}, which is not unpacked here.`, where);
    return { kind: "packed" };
  }
  const { unpacked, limits } = log;
  if (unpacked.depth >= MOST_DEPTH) {
    log.note("limit-reached", `Packed content lies within packed content, more than ${MOST_DEPTH} deep.`, where);
    return { kind: "packed" };
  }
  const budget = Math.min(limits.inflatedBytes - unpacked.held, limits.inflatedBytes * MOST_ROUNDS - unpacked.total);
  const { content, error } = await unpackFile(source, packing, innerName(head, where), { ...limits, inflatedBytes: budget }, log.options);
  // Two bytes of anything may be those by which zlib begins.
  if (packing.codec === "zlib" && content.size === 0 && error?.code === "COMPRESSION_CORRUPT") {
    if (depth === 0) log.note("unknown-format", "The content is of no format that is known here.", where);
    return { kind: "other" };
  }
  const from = `packed by ${packing.name}: ${source.size} bytes, ${content.size} unpacked`;
  if (!error) log.note("packed-content", `The content is ${from}.`, where);
  else
    log.note(
      error.code === "LIMIT_EXCEEDED" ? "limit-reached" : "packed-unreadable",
      `The content is ${from}, and more. ${error.message}`,
      where,
    );
  return { kind: "packed", storages: await auditUnpacked({ content, error }, where, log, depth, auditContent) };
}

async function auditUnpacked(
  { content, error }: Unpacked,
  where: string,
  log: AuditLog,
  depth: number,
  auditContent: AuditContent,
): Promise<AuditedContent["storages"]> {
  if (error && content.size === 0) return undefined;
  const { unpacked } = log;
  unpacked.held += content.size;
  unpacked.total += content.size;
  unpacked.depth++;
  try {
    const place = `${where}/${content.name}`;
    const { kind, storages } = await auditContent(content, place, log, depth);
    // In an archive, whoever asked says what becomes of content that is unknown; here nobody does.
    if (kind === "other" && depth > 0) log.note("unknown-format", "The content is of no format that is known here.", place);
    return storages;
  } finally {
    unpacked.held -= content.size;
    unpacked.depth--;
  }
}
