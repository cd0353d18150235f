import { type ByteSource, type Bytes, sliceSource } from "@ckptkit/core";
import { READERS, tfBundlePart } from "@ckptkit/formats";
import type { AuditedContent, AuditLog } from "./audit-log.js";
import { auditPacked } from "./audit-packed.js";
import { auditPickles, looksLikePickle } from "./audit-pickle.js";
import { auditTar } from "./audit-tar.js";
import { auditTfGraph } from "./audit-tf-graph.js";
import { auditZip } from "./audit-zip.js";
import { auditTemplateFile, auditTemplates } from "./chat-template.js";
import { type ContentKind, HEAD_BYTES, isDisguised, isTextName, kindOf, latin1 } from "./content-kind.js";
import { auditHdf5, auditLooseJson, openToo } from "./open-too.js";
import { hasZipEnd } from "./zip-remains.js";

/** Archives within archives that are followed. */
const MOST_DEPTH = 8;
/** A pickle's length is not written anywhere: so much is read first, and four times as much each time that it is cut off. */
const FIRST_BYTES = 1024 * 1024;

/**
 * Audits a file, or a member of an archive, by what its bytes are and not by its name.
 *
 * @param where names it in findings.
 */
export async function auditContent(source: ByteSource, where: string, log: AuditLog, depth = 0): Promise<AuditedContent> {
  log.options.signal?.throwIfAborted();
  if (source.size === 0) {
    if (depth === 0) log.note("empty-file", "The file has no bytes.", where);
    return { kind: "other" };
  }
  if (depth > MOST_DEPTH) {
    log.note("limit-reached", `Archives lie within archives, more than ${MOST_DEPTH} deep.`, where);
    return { kind: "packed" };
  }
  const head = await source.read(0, Math.min(HEAD_BYTES, source.size), log.options);
  let kind = kindOf(head, source.size);
  let storages: ReadonlySet<string> | undefined;
  const isTextPickle = (kind === "other" || kind === "text") && looksLikePickle(await firstBytes(source, log), log);
  if (isTextPickle) kind = "pickle";
  // In an archive, and in a data file of TensorFlow, the two bytes by which a pickle begins may as well be those of a number.
  else if (kind === "pickle" && (depth > 0 || isTfData(head, source, where)) && !looksLikePickle(await firstBytes(source, log), log, true))
    kind = "other";
  if (kind === "safetensors" && head[0] === 0x80 && looksLikePickle(await firstBytes(source, log), log, true)) {
    log.note("polyglot", "The bytes are a safetensors header and a pickle at once.", where);
    await auditPickleSource(source, where, log, depth);
  }
  if (isDisguised(where, kind))
    log.note("wrong-suffix", `The content is a ${kind}, which the name ${JSON.stringify(where)} does not say.`, where);
  if (kind !== "zip" && (await hasZipEnd(source, log, kind === "tar"))) {
    log.note("polyglot", `The bytes begin as ${kind === "other" ? "something unknown" : kind}, and end as a zip archive.`, where);
    await auditZip(source, where, log, depth, auditContent);
  }
  if (kind === "zip") await auditZip(source, where, log, depth, auditContent);
  else if (kind === "pickle") storages = await auditPickleSource(source, where, log, depth);
  else if (kind === "npy") await auditNpy(source, head, where, log);
  else if (kind === "tar") await auditTar(source, where, log, depth, auditContent);
  else if (kind === "lfs") log.note("lfs-pointer", "The file is a pointer of Git LFS.", where);
  else if (kind === "packed") ({ kind, storages } = await auditPacked(source, head, where, log, depth, auditContent));
  else if (kind !== "text" || depth === 0) await auditData(source, kind, where, log, depth);
  else await auditText(source, where, log);
  return { kind, storages };
}

const firstBytes = async (source: ByteSource, log: AuditLog): Promise<Bytes> =>
  source.read(0, Math.min(FIRST_BYTES, log.limits.pickleBytes, source.size), log.options);

/** A file that is one pickle or several, or a legacy torch file. */
async function auditPickleSource(source: ByteSource, where: string, log: AuditLog, depth: number): Promise<ReadonlySet<string>> {
  const bytes = await pickleBytes(source, log);
  const { isLegacyTorch, storages, end, error } = auditPickles(bytes, where, log, false);
  if (isLegacyTorch) {
    if (depth === 0 && !error) await openToo(source, where, log);
  } else if (bytes.length < source.size && !error) {
    log.note("limit-reached", `Of ${source.size} bytes, those behind byte ${bytes.length} were not looked at.`, `${where}: byte ${end}`);
  }
  return storages;
}

/** As many of the first bytes as the pickles need: the whole of a small file. */
async function pickleBytes(source: ByteSource, log: AuditLog): Promise<Bytes> {
  const most = Math.min(source.size, log.limits.pickleBytes);
  let bytes = await firstBytes(source, log);
  while (bytes.length < most) {
    const quiet = log.silent();
    const { error, isLegacyTorch } = auditPickles(bytes, "", quiet, false);
    // A legacy file is mostly storages behind its pickles; all else is read whole.
    if (isLegacyTorch && error?.code !== "PICKLE_TRUNCATED") break;
    const longer = new Uint8Array(Math.min(bytes.length * 4, most));
    longer.set(bytes);
    longer.set(await source.read(bytes.length, longer.length, log.options), bytes.length);
    bytes = longer;
  }
  return bytes;
}

/** A header, and numbers or a pickle behind it. @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
async function auditNpy(source: ByteSource, head: Bytes, where: string, log: AuditLog): Promise<void> {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const isLong = (head[6] ?? 0) > 1;
  const dataStart = head.length < 12 ? source.size + 1 : isLong ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  if (dataStart > source.size || dataStart > log.limits.headerBytes) {
    log.note("unreadable-member", "The header of the array reaches beyond its end.", where);
    return;
  }
  const header = latin1((await source.read(0, dataStart, log.options)).subarray(0, 65_536));
  if (!/'descr'\s*:[^}]*\|?O/.test(header)) return; // numbers: nothing is loaded but they
  const data = sliceSource(source, dataStart, source.size);
  auditPickles(await pickleBytes(data, log), where, log, true);
}

const isTfData = (head: Bytes, { size }: ByteSource, name: string): boolean => tfBundlePart({ head, size, name }) === "data";

/** A text that a program may carry out, in whole or in part: by its name. */
async function auditText(source: ByteSource, where: string, log: AuditLog): Promise<void> {
  await auditTemplateFile(source, where, log);
  await auditLooseJson(source, where, log);
  if (/\.py$/i.test(where) && !/(?:^|\/)code\//.test(where)) log.note("python-source", "A Python program is with the model.", where);
}

/** A format without pickles: opened by its reader where there is one. */
async function auditData(source: ByteSource, kind: ContentKind, where: string, log: AuditLog, depth: number): Promise<void> {
  if (kind === "hdf5") return auditHdf5(source, where, log);
  if (kind === "text") await auditText(source, where, log);
  if (kind === "text" && isTextName(where)) return;
  const head = await source.read(0, Math.min(64 * 1024, source.size), log.options);
  const part = tfBundlePart({ head, size: source.size, name: where });
  if (part === "data" || part === "state") {
    const what = part === "data" ? "numbers that their index describes" : "text that names the latest checkpoint";
    return log.note("tf-bundle-part", `This is a part of a TensorFlow checkpoint: ${what}.`, where);
  }
  if (READERS.some((reader) => reader.matches({ head, size: source.size, name: where }))) {
    const metadata = await openToo(source, where, log);
    if (kind === "gguf" && metadata) auditTemplates(metadata, where, log);
    return;
  }
  await auditTfGraph(source, head, where, log);
  if (depth > 0 && kind === "other") return; // the archive says what becomes of it
  log.note("unknown-format", "The content is of no format that is known here.", where);
}
