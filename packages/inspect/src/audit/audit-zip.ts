import { type ByteSource, CheckpointError } from "@ckptkit/core";
import { type ExaminedMember, type ExaminedZip, examineZip } from "@ckptkit/formats";
import { crc32 } from "@ckptkit/wasm/crc";
import type { AuditContent, AuditLog } from "./audit-log.js";
import { auditPickles } from "./audit-pickle.js";
import { isText, kindOf, PICKLE_NAME } from "./content-kind.js";
import { auditKerasJson, openToo } from "./open-too.js";
import { archivesIn, auditHidden, auditWithoutDirectory } from "./zip-remains.js";

const PIECE_BYTES = 1024 * 1024;
/** Bytes of a record that holds a word or a number. */
const MOST_WORD_BYTES = 64;

/** Records of torch that hold a word. */
const WORD_NAME =
  /(?:^|\/)(?:version|byteorder|\.format_version|\.storage_alignment|\.data\/(?:version|serialization_id)|serialization_id)$/;
/** Programs of TorchScript. */
const CODE_NAME = /(?:^|\/)code\/.*\.py$/;
/** Numbers of programs that torch.export saved; objects of other kinds stand under other names. */
const EXPORT_NAME = /(?:^|\/)data\/(?:weights\/weight|constants\/tensor)_\d+$/;
/** Arrays that Anemoi appends beside its JSON, without any header. */
const ANEMOI_NAME = /(?:^|\/)anemoi-metadata\/.+\.numpy$/;
/** Functions by which a TorchScript program reaches files. */
const REACHES_FILES = /\b(?:torch\.(?:save|from_file|load)|ops\.aten\.(?:save|from_file|load))\s*\(|aten::(?:save|from_file|load)\b/;

/** Audits an archive: its records, every pickle in it, every member that no tensor accounts for, and what belongs to no member. */
export async function auditZip(source: ByteSource, where: string, log: AuditLog, depth: number, auditContent: AuditContent): Promise<void> {
  if (/\.distcp$/.test(where)) {
    const parts = await archivesIn(source, where, log);
    if (parts.length > 1) {
      for (const part of parts) await auditZip(part, `${where}: byte ${part.start}`, log, depth + 1, auditContent);
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
    await auditWithoutDirectory(source, where, log, depth, auditContent);
    return;
  }
  for (const { rule, message, at } of zip.findings) log.note(rule, message, at === undefined ? where : `${where}/${at}`);
  await auditHidden(source, zip, where, log, depth, auditContent);
  await auditMembers(source, zip.members, where, log, depth, auditContent);
}

async function auditMembers(
  source: ByteSource,
  members: readonly ExaminedMember[],
  where: string,
  log: AuditLog,
  depth: number,
  auditContent: AuditContent,
): Promise<void> {
  const names = new Set(members.map(({ name }) => name));
  const roots = [
    ...new Set(members.filter(({ name }) => /(?:^|\/)data\.pkl$/.test(name)).map(({ name }) => name.slice(0, -"data.pkl".length))),
  ];
  if (roots.length > 1) log.note("zip-two-roots", `Checkpoints lie in ${roots.map((root) => JSON.stringify(root)).join(" and ")}.`, where);
  const isScript = roots.some((root) => names.has(`${root}constants.pkl`) || [...names].some((name) => name.startsWith(`${root}code/`)));
  if (isScript) log.note("torchscript-code", "The archive holds a TorchScript program.", where);
  const isKeras = names.has("config.json") && names.has("model.weights.h5");

  const isExport = [...names].some((name) => /^(?:[^/]+\/)?archive_format$/.test(name));
  const storages = new Set<string>();
  const others: ExaminedMember[] = [];
  for (const [index, member] of members.entries()) {
    log.options.signal?.throwIfAborted();
    log.options.onProgress?.({ phase: "audit", done: index, total: members.length, item: member.name });
    if (member.name.endsWith("/") && !isFolder(member))
      log.note(
        "zip-odd-name",
        `The member ${JSON.stringify(member.name)} has the name of a folder, and content.`,
        `${where}/${member.name}`,
      );
    if (!PICKLE_NAME.test(member.name)) others.push(member);
    else for (const key of await auditPickleMember(member, `${where}/${member.name}`, log, depth, auditContent)) storages.add(key);
  }
  let unreferenced: string[] = [];
  for (const member of others) {
    if (isFolder(member) || isStorage(member.name, roots, storages) || (isExport && EXPORT_NAME.test(member.name))) continue;
    log.options.signal?.throwIfAborted();
    if (!(await auditOther(member, isKeras, where, log, depth, auditContent))) unreferenced = [...unreferenced, member.name].slice(0, 1000);
  }
  if (unreferenced.length > 0) {
    const shown = unreferenced
      .slice(0, 3)
      .map((name) => JSON.stringify(name))
      .join(", ");
    const message = `Members that belong to no tensor and are nothing that is known here, ${unreferenced.length} in all: ${shown}${unreferenced.length > 3 ? " ..." : ""}.`;
    log.note("unreferenced-member", message, `${where}/${unreferenced[0]}`);
  }
  // What the reader of torch finds between pickle and storages. Programs of TorchScript are read by another.
  if (roots.length === 1 && !isScript && depth === 0) await openToo(source, where, log);
}

/** A member that stands for a folder has no content. */
const isFolder = ({ name, content }: ExaminedMember): boolean => name.endsWith("/") && content?.size === 0;

/** `root/data/key`, or `root/constants/key`, where a pickle refers to that key. */
function isStorage(name: string, roots: readonly string[], storages: ReadonlySet<string>): boolean {
  const root = roots.find((candidate) => name.startsWith(candidate));
  if (root === undefined) return false;
  const [folder = "", ...key] = name.slice(root.length).split("/");
  return /^(?:data|constants|bytecode|tensors|xl_model_weights)$/.test(folder) && storages.has(key.join("/"));
}

async function auditPickleMember(
  member: ExaminedMember,
  place: string,
  log: AuditLog,
  depth: number,
  auditContent: AuditContent,
): Promise<Iterable<string>> {
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
async function auditOther(
  member: ExaminedMember,
  isKeras: boolean,
  where: string,
  log: AuditLog,
  depth: number,
  auditContent: AuditContent,
): Promise<boolean> {
  const { name, content } = member;
  const place = `${where}/${name}`;
  if (!content) {
    log.note("unreadable-member", "The member could not be read.", place);
    return true;
  }
  if (content.size === 0) return true;
  try {
    if (isKeras && name === "config.json") await auditKerasJson(content, place, log);
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
