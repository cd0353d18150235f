import { type ByteSource, CheckpointError, sliceSource } from "@ckptkit/core";
import { type ExaminedMember, type ExaminedZip, examineZip, memberAt } from "@ckptkit/formats";
import type { AuditContent, AuditLog } from "./audit-log.js";
import { auditPickles, looksLikePickle } from "./audit-pickle.js";
import { kindOf, PICKLE_NAME } from "./content-kind.js";

/** What of an archive its directory does not tell: where it ends, what is hidden in it, and what is left when the directory is lost. */

const SIGNATURE_END = [0x50, 0x4b, 0x05, 0x06];
const SIGNATURE_LOCAL = [0x50, 0x4b, 0x03, 0x04];
/** The end record and the longest comment. */
const TAIL_BYTES = 22 + 0xffff;
/** Bytes of a file in which members or archives are looked for. */
const MOST_SEARCHED_BYTES = 256 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/** Whether the bytes end as a zip archive does that a reader would open, whatever they begin with. */
export async function hasZipEnd(source: ByteSource, log: AuditLog, atEnd = false): Promise<boolean> {
  if (source.size < 22) return false;
  const tail = await source.read(Math.max(0, source.size - TAIL_BYTES), source.size, log.options);
  const at = lastIndexOf(tail, SIGNATURE_END);
  if (at < 0 || at + 22 > tail.length) return false;
  const commentBytes = (tail[at + 20] ?? 0) + 256 * (tail[at + 21] ?? 0);
  if (atEnd && at + 22 + commentBytes !== tail.length) return false;
  try {
    const { members } = await examineZip(source, log.limits, log.options);
    return members.some(({ content }) => content !== undefined);
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

/** The archives that a shard of a distributed checkpoint is made of, one behind the other. */
export async function archivesIn(source: ByteSource, where: string, log: AuditLog): Promise<(ByteSource & { start: number })[]> {
  const parts: (ByteSource & { start: number })[] = [];
  let start = 0;
  const most = Math.min(source.size, MOST_SEARCHED_BYTES);
  for (let at = 0; at < most; at += PIECE_BYTES) {
    const bytes = await source.read(at, Math.min(source.size, at + PIECE_BYTES + 26), log.options);
    for (
      let found = indexOf(bytes, SIGNATURE_END, 0);
      found >= 0 && found < PIECE_BYTES;
      found = indexOf(bytes, SIGNATURE_END, found + 1)
    ) {
      const end = at + found + 22;
      if (end !== source.size && indexOf(bytes.subarray(found + 22, found + 26), SIGNATURE_LOCAL, 0) !== 0) continue;
      parts.push({ ...sliceSource(source, start, end, source.name), start });
      start = end;
    }
  }
  if (source.size > most) log.note("limit-reached", `Archives were looked for in the first ${most} bytes only.`, where);
  else if (start < source.size) parts.push({ ...sliceSource(source, start, source.size, source.name), start });
  return parts;
}

/** What belongs to no member: junk in front, gaps, and the comment. */
export async function auditHidden(
  source: ByteSource,
  { hidden }: ExaminedZip,
  where: string,
  log: AuditLog,
  depth: number,
  auditContent: AuditContent,
): Promise<void> {
  for (const { start, end, what } of hidden) {
    const place = `${where}: byte ${start}`;
    const member = await memberAt(source, start, log.limits, log.options);
    if (member && what !== "comment") {
      log.note("zip-hidden-member", `${JSON.stringify(member.name)} stands in the archive, but not in its directory.`, place);
      await auditCarved(member, where, log, depth, auditContent);
      continue;
    }
    const bytes = await source.read(start, Math.min(end, start + PIECE_BYTES), log.options);
    if (what === "comment") log.note("zip-comment", `The archive has a comment of ${end - start} bytes.`, place);
    else if (what === "prefix") log.note("zip-prepended-data", `${end - start} bytes stand in front of the archive.`, place);
    else log.note("zip-hidden-bytes", `${end - start} bytes belong to no member.`, place);
    if (looksLikePickle(bytes, log)) auditPickles(bytes, place, log, true);
  }
}

/** A member without a directory. Sizes that stand behind the data are not known: the pickle's own end is taken. */
async function auditCarved(member: ExaminedMember, where: string, log: AuditLog, depth: number, auditContent: AuditContent): Promise<void> {
  const { content, name } = member;
  if (!content || content.size === 0) return;
  const place = `${where}/${name}`;
  try {
    const bytes = await content.read(0, Math.min(content.size, log.limits.pickleBytes, PIECE_BYTES * 16), log.options);
    if (looksLikePickle(bytes, log)) auditPickles(bytes, place, log, false);
    else if (kindOf(bytes.subarray(0, 1024), bytes.length) === "zip") await auditContent(content, place, log, depth + 1);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    log.note("unreadable-member", `${error.code}: ${error.message}`, place);
  }
}

/** Looks for members by their own headers, from the front. */
export async function auditWithoutDirectory(
  source: ByteSource,
  where: string,
  log: AuditLog,
  depth: number,
  auditContent: AuditContent,
): Promise<void> {
  const most = Math.min(source.size, MOST_SEARCHED_BYTES);
  for (let at = 0; at < most; at += PIECE_BYTES) {
    log.options.signal?.throwIfAborted();
    const bytes = await source.read(at, Math.min(source.size, at + PIECE_BYTES + 3), log.options);
    for (let found = indexOf(bytes, SIGNATURE_LOCAL, 0); found >= 0; found = indexOf(bytes, SIGNATURE_LOCAL, found + 1)) {
      const member = await memberAt(source, at + found, log.limits, log.options);
      if (!member) continue;
      const next = PICKLE_NAME.test(member.name) ? member : { ...member, content: member.content && firstPart(member.content) };
      await auditCarved(next, where, log, depth, auditContent);
    }
  }
  if (source.size > most) log.note("limit-reached", `Members were looked for in the first ${most} bytes only.`, where);
}

/** Of storages the beginning is enough to tell that they are no pickles. */
const firstPart = (content: ByteSource): ByteSource => sliceSource(content, 0, Math.min(content.size, 64 * 1024));

function indexOf(bytes: Uint8Array, wanted: readonly number[], from: number): number {
  for (let at = bytes.indexOf(wanted[0] ?? 0, from); at >= 0; at = bytes.indexOf(wanted[0] ?? 0, at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

function lastIndexOf(bytes: Uint8Array, wanted: readonly number[]): number {
  for (let at = bytes.lastIndexOf(wanted[0] ?? 0); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(wanted[0] ?? 0, at - 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}
