import { type ByteSource, CheckpointError, sliceSource } from "@ckptkit/core";
import { type ExaminedMember, type ExaminedZip, examineZip, memberAt } from "@ckptkit/formats";
import { crc32 } from "@ckptkit/wasm/js";
import { auditContent, auditKeras, openToo } from "./audit-content.js";
import type { AuditLog } from "./audit-log.js";
import { auditPickles, looksLikePickle } from "./audit-pickle.js";
import { isText, kindOf } from "./content-kind.js";

const SIGNATURE_END = [0x50, 0x4b, 0x05, 0x06];
const SIGNATURE_LOCAL = [0x50, 0x4b, 0x03, 0x04];
/** The end record and the longest comment. */
const TAIL_BYTES = 22 + 0xffff;
/** Bytes of a file without a directory in which members are looked for. */
const MOST_SEARCHED_BYTES = 256 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** Bytes of a record that holds a word or a number. */
const MOST_WORD_BYTES = 64;

/** Members whose names say that they are pickles: of torch.save, TorchScript and its debug records, and of others. */
const PICKLE_NAME = /\.(?:pkl|pickle|debug_pkl|joblib|p|dill)$/i;
/** Records of torch that hold a word. */
const WORD_NAME =
  /(?:^|\/)(?:version|byteorder|\.format_version|\.storage_alignment|\.data\/(?:version|serialization_id)|serialization_id)$/;
/** Programs of TorchScript. */
const CODE_NAME = /(?:^|\/)code\/.*\.py$/;
/** Arrays that Anemoi appends beside its JSON, without any header. */
const ANEMOI_NAME = /(?:^|\/)anemoi-metadata\/.+\.numpy$/;
/** Functions by which a TorchScript program reaches files. */
const REACHES_FILES = /\b(?:torch\.(?:save|from_file|load)|ops\.aten\.(?:save|from_file|load))\s*\(|aten::(?:save|from_file|load)\b/;

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

/** Audits an archive: its records, every pickle in it, every member that no tensor accounts for, and what belongs to no member. */
export async function auditZip(source: ByteSource, where: string, log: AuditLog, depth: number): Promise<void> {
  if (/\.distcp$/.test(where)) {
    const parts = await archivesIn(source, where, log);
    if (parts.length > 1) {
      for (const part of parts) await auditZip(part, `${where}: byte ${part.start}`, log, depth + 1);
      return;
    }
  }
  let zip: ExaminedZip;
  try {
    zip = await examineZip(source, log.limits, log.options);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    if (error.code === "LIMIT_EXCEEDED") log.note("limit-reached", error.message, where);
    else log.note("zip-no-directory", error.message, where);
    await auditWithoutDirectory(source, where, log, depth);
    return;
  }
  for (const { rule, message, at } of zip.findings) log.note(rule, message, at === undefined ? where : `${where}/${at}`);
  await auditHidden(source, zip, where, log, depth);
  await auditMembers(source, zip.members, where, log, depth);
}

/** The archives that a shard of a distributed checkpoint is made of, one behind the other. */
async function archivesIn(source: ByteSource, where: string, log: AuditLog): Promise<(ByteSource & { start: number })[]> {
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

async function auditMembers(
  source: ByteSource,
  members: readonly ExaminedMember[],
  where: string,
  log: AuditLog,
  depth: number,
): Promise<void> {
  const names = new Set(members.map(({ name }) => name));
  const roots = [
    ...new Set(members.filter(({ name }) => /(?:^|\/)data\.pkl$/.test(name)).map(({ name }) => name.slice(0, -"data.pkl".length))),
  ];
  if (roots.length > 1) log.note("zip-two-roots", `Checkpoints lie in ${roots.map((root) => JSON.stringify(root)).join(" and ")}.`, where);
  const isScript = roots.some((root) => names.has(`${root}constants.pkl`) || [...names].some((name) => name.startsWith(`${root}code/`)));
  if (isScript) log.note("torchscript-code", "The archive holds a TorchScript program.", where);
  const isKeras = names.has("config.json") && names.has("model.weights.h5");

  const storages = new Set<string>();
  const others: ExaminedMember[] = [];
  for (const [index, member] of members.entries()) {
    log.options.signal?.throwIfAborted();
    log.options.onProgress?.({ phase: "audit", done: index, total: members.length, item: member.name });
    if (!PICKLE_NAME.test(member.name)) others.push(member);
    else for (const key of await auditPickleMember(member, `${where}/${member.name}`, log, depth)) storages.add(key);
  }
  let unreferenced: string[] = [];
  for (const member of others) {
    if (isStorage(member.name, roots, storages) || member.name.endsWith("/")) continue;
    log.options.signal?.throwIfAborted();
    if (!(await auditOther(member, isKeras, where, log, depth))) unreferenced = [...unreferenced, member.name].slice(0, 1000);
  }
  if (unreferenced.length > 0) {
    const shown = unreferenced
      .slice(0, 3)
      .map((name) => JSON.stringify(name))
      .join(", ");
    const message = `${unreferenced.length} members belong to no tensor and are nothing that is known here: ${shown}${unreferenced.length > 3 ? " ..." : ""}.`;
    log.note("unreferenced-member", message, `${where}/${unreferenced[0]}`);
  }
  // What the reader of torch finds between pickle and storages. Programs of TorchScript are read by another.
  if (roots.length === 1 && !isScript && depth === 0) await openToo(source, where, log);
}

/** `root/data/key`, or `root/constants/key`, where a pickle refers to that key. */
function isStorage(name: string, roots: readonly string[], storages: ReadonlySet<string>): boolean {
  const root = roots.find((candidate) => name.startsWith(candidate));
  if (root === undefined) return false;
  const [folder = "", ...key] = name.slice(root.length).split("/");
  return /^(?:data|constants|bytecode|tensors|xl_model_weights)$/.test(folder) && storages.has(key.join("/"));
}

async function auditPickleMember(member: ExaminedMember, place: string, log: AuditLog, depth: number): Promise<Iterable<string>> {
  const bytes = await readAll(member, place, log);
  if (!bytes) return [];
  const kind = kindOf(bytes.subarray(0, 1024), bytes.length);
  if (kind !== "pickle" && kind !== "other" && kind !== "text") {
    if (member.content) return (await auditContent(member.content, place, log, depth + 1)).storages ?? [];
  }
  return auditPickles(bytes, place, log, true).storages;
}

/** All bytes of a member; its checksum is compared. */
async function readAll(member: ExaminedMember, place: string, log: AuditLog): Promise<Uint8Array | undefined> {
  const { content, crc32: expected } = member;
  if (!content) {
    log.note("unreadable-member", "The member could not be read.", place);
    return undefined;
  }
  if (content.size > log.limits.pickleBytes) {
    log.note("limit-reached", `The member has ${content.size} bytes, over the limit "pickleBytes" of ${log.limits.pickleBytes}.`, place);
    return undefined;
  }
  try {
    const bytes = await content.read(0, content.size, log.options);
    const actual = expected === 0 ? 0 : crc32(bytes);
    if (actual !== expected)
      log.note("crc-mismatch", `The CRC-32 recorded is ${expected.toString(16)}, that of the bytes is ${actual.toString(16)}.`, place);
    return bytes;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    log.note("unreadable-member", `${error.code}: ${error.message}`, place);
    return undefined;
  }
}

/** A member that is no pickle by its name and no storage. Tells whether it is something that is known. */
async function auditOther(member: ExaminedMember, isKeras: boolean, where: string, log: AuditLog, depth: number): Promise<boolean> {
  const { name, content } = member;
  const place = `${where}/${name}`;
  if (!content) {
    log.note("unreadable-member", "The member could not be read.", place);
    return true;
  }
  if (content.size === 0) return true;
  try {
    if (isKeras && name === "config.json") await auditKeras(content, place, log);
    const { kind } = await auditContent(content, place, log, depth + 1);
    if (kind === "pickle") {
      log.note("hidden-pickle", `The member ${JSON.stringify(name)} is a pickle, which its name does not say.`, place);
      return true;
    }
    const head = kind === "other" || kind === "text" ? await content.read(0, Math.min(content.size, PIECE_BYTES), log.options) : undefined;
    if (head && CODE_NAME.test(name)) {
      if (REACHES_FILES.test(new TextDecoder().decode(head.slice())))
        log.note("torchscript-files", "The program reads or writes files.", place);
      return isText(head);
    }
    if (kind === "text") return head !== undefined && isText(head);
    if (kind !== "other") return true;
    return (WORD_NAME.test(name) && content.size <= MOST_WORD_BYTES) || ANEMOI_NAME.test(name);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    log.note("unreadable-member", `${error.code}: ${error.message}`, place);
    return true;
  }
}

/** What belongs to no member: junk in front, gaps, and the comment. */
async function auditHidden(source: ByteSource, { hidden }: ExaminedZip, where: string, log: AuditLog, depth: number): Promise<void> {
  for (const { start, end, what } of hidden) {
    const place = `${where}: byte ${start}`;
    const member = await memberAt(source, start, log.limits, log.options);
    if (member && what !== "comment") {
      log.note("zip-hidden-member", `${JSON.stringify(member.name)} stands in the archive, but not in its directory.`, place);
      await auditCarved(member, where, log, depth);
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
async function auditCarved(member: ExaminedMember, where: string, log: AuditLog, depth: number): Promise<void> {
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
async function auditWithoutDirectory(source: ByteSource, where: string, log: AuditLog, depth: number): Promise<void> {
  const most = Math.min(source.size, MOST_SEARCHED_BYTES);
  for (let at = 0; at < most; at += PIECE_BYTES) {
    log.options.signal?.throwIfAborted();
    const bytes = await source.read(at, Math.min(source.size, at + PIECE_BYTES + 3), log.options);
    for (let found = indexOf(bytes, SIGNATURE_LOCAL, 0); found >= 0; found = indexOf(bytes, SIGNATURE_LOCAL, found + 1)) {
      const member = await memberAt(source, at + found, log.limits, log.options);
      if (!member) continue;
      const next = PICKLE_NAME.test(member.name) ? member : { ...member, content: member.content && firstPart(member.content) };
      await auditCarved(next, where, log, depth);
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
