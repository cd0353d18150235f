import {
  type ByteSource,
  type Bytes,
  CheckpointError,
  type CheckpointLoadError,
  type Finding,
  finish,
  type Limits,
  type SignalOptions,
  sliceSource,
} from "@ckptkit/core";
import { readDirectory, type ZipEntry } from "./directory.js";
import { inflateSource } from "./inflate-source.js";
import { checkLocalHeader } from "./local-header.js";
import { memberSource } from "./member-source.js";
import { FLAG, METHOD, RECORD_BYTES, SIGNATURE, viewOf } from "./records.js";

/** One member of an archive that is looked at, however its records contradict each other. */
export interface ExaminedMember {
  readonly name: string;
  /** Where its local header begins. */
  readonly at: number;
  /** The CRC-32 that the directory records; 0 for none. */
  readonly crc32: number;
  /** Its bytes, inflated; undefined where no reader could have them. */
  readonly content: ByteSource | undefined;
}

/** An archive as it is. */
export interface ExaminedZip {
  readonly members: readonly ExaminedMember[];
  /** Every contradiction, by rule. Messages are those with which the reader refuses the archive. */
  readonly findings: readonly Finding[];
  /** Parts that belong to nothing: junk in front, gaps, the comment. Ranges are [start, end). */
  readonly hidden: readonly { readonly start: number; readonly end: number; readonly what: "prefix" | "gap" | "comment" | "tail" }[];
}

/** Findings of one rule that are listed one by one. */
const FINDINGS_PER_RULE = 20;
/** Local headers that are read at the same time: fewer than the listeners on one signal of which Node warns. */
const AT_ONCE = 8;

/**
 * Looks at a zip archive with the reader's own checks, and goes on where the reader stops: directory against local headers, sizes,
 * descriptors, names, and every byte that belongs to nothing. Reads the directory and each member's header, and no data.
 *
 * @throws {CheckpointLoadError} ZIP_NO_END_RECORD, ZIP_CORRUPT, LIMIT_EXCEEDED where there is no directory that could be read
 */
export async function examineZip(source: ByteSource, limits: Limits, options?: SignalOptions): Promise<ExaminedZip> {
  const findings = new FindingList();
  const tolerate = (rule: string, { message, details }: CheckpointLoadError): void =>
    findings.add(rule, message, typeof details.member === "string" ? details.member : undefined);
  const { entries, end } = await finish(readDirectory(source, limits, options, tolerate));
  const placed: Placed[] = [];
  for (let first = 0; first < entries.length; first += AT_ONCE) {
    const group = entries.slice(first, first + AT_ONCE);
    placed.push(...(await Promise.all(group.map((entry) => placeMember(source, entry, limits, findings, options)))));
  }
  const hidden: ExaminedZip["hidden"][number][] = [];
  let at = 0;
  for (const { start, end: memberEnd } of [...placed].sort((a, b) => a.start - b.start)) {
    if (start > at) hidden.push({ start: at, end: start, what: at === 0 ? "prefix" : "gap" });
    at = Math.max(at, memberEnd);
  }
  const directoryStart = Math.min(end.directoryStart, source.size);
  if (directoryStart > at) hidden.push({ start: at, end: directoryStart, what: at === 0 ? "prefix" : "gap" });
  if (end.commentBytes > 0) hidden.push({ start: source.size - end.commentBytes, end: source.size, what: "comment" });
  for (const { name } of entries)
    if (isOddName(name))
      findings.add(
        "zip-odd-name",
        `The member ${JSON.stringify(name)} has a name that leads out of the folder in which it is unpacked, or that systems read differently.`,
        name,
      );
  return { members: placed.map(({ member }) => member), findings: findings.all(), hidden };
}

interface Placed {
  readonly start: number;
  readonly end: number;
  readonly member: ExaminedMember;
}

/** Absolute names, steps upwards, backslashes, drive letters, and characters that end a name early. */
function isOddName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /^\/|^[a-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|\\|[\0-\x1f\x7f]/i.test(name);
}

/** Compares one local header with the directory, and finds where the member ends. */
async function placeMember(
  source: ByteSource,
  entry: ZipEntry,
  limits: Limits,
  findings: FindingList,
  options?: SignalOptions,
): Promise<Placed> {
  const { name, headerStart, compressedBytes, byteLength, method } = entry;
  const member = { name, at: headerStart, crc32: entry.crc32 };
  const fixedEnd = headerStart + RECORD_BYTES.local;
  if (fixedEnd > source.size) {
    findings.add("zip-directory", `The directory places ${JSON.stringify(name)} at ${headerStart}, beyond the end of the file.`, name);
    return { start: source.size, end: source.size, member: { ...member, content: undefined } };
  }
  const header = await source.read(headerStart, Math.min(source.size, fixedEnd + entry.nameBytes), options);
  const view = viewOf(header);
  const isHeader = view.getUint32(0, true) === SIGNATURE.local;
  let isSound = true;
  try {
    checkLocalHeader(header, entry, source.name);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    isSound = false;
    findings.add(error.code === "ZIP_UNSUPPORTED" ? "zip-encrypted" : "zip-header-mismatch", error.message, name);
  }
  const dataStart = fixedEnd + (isHeader ? view.getUint16(26, true) + view.getUint16(28, true) : entry.nameBytes);
  const dataEnd = dataStart + compressedBytes;
  if (dataEnd > source.size) {
    findings.add("zip-overlap", `The data of ${JSON.stringify(name)} ends beyond the end of the file.`, name);
    return { start: headerStart, end: source.size, member: { ...member, content: undefined } };
  }
  const flags = isHeader ? view.getUint16(6, true) : 0;
  const tail = flags & FLAG.descriptor && compressedBytes > 0 ? await descriptorBytes(source, dataEnd, entry, findings, options) : 0;
  let content: ByteSource | undefined;
  try {
    const isStored = method === METHOD.stored;
    const hasOneSize = !isStored || compressedBytes === byteLength;
    if (isSound && hasOneSize && (isStored || method === METHOD.deflated)) content = memberSource(source, entry, limits);
    else {
      // The bytes as readers have them that believe the one header or the other, and the larger of two sizes.
      const rawEnd = isStored ? Math.min(source.size, Math.max(dataEnd, dataStart + byteLength)) : dataEnd;
      const raw = sliceSource(source, dataStart, rawEnd, `${source.name}#${name}`);
      const localMethod = isHeader ? view.getUint16(8, true) : method;
      content = method === METHOD.deflated || localMethod === METHOD.deflated ? inflateSource(raw, byteLength, limits) : raw;
    }
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    findings.add("zip-size", error.message, name);
  }
  return { start: headerStart, end: dataEnd + tail, member: { ...member, content } };
}

/** The layouts of a descriptor: with or without its signature, with sizes of 4 or 8 bytes. */
const DESCRIPTORS = [
  { bytes: 16, at: 4, wide: false },
  { bytes: 24, at: 4, wide: true },
  { bytes: 12, at: 0, wide: false },
  { bytes: 20, at: 0, wide: true },
] as const;

/** Bytes of the descriptor behind a member's data; one that says something else than the directory is a finding. */
async function descriptorBytes(
  source: ByteSource,
  at: number,
  entry: ZipEntry,
  findings: FindingList,
  options?: SignalOptions,
): Promise<number> {
  const bytes: Bytes = await source.read(at, Math.min(source.size, at + 24), options);
  const view = viewOf(bytes);
  const isSigned = bytes.length >= 4 && view.getUint32(0, true) === SIGNATURE.descriptor;
  for (const { bytes: length, at: from, wide } of DESCRIPTORS) {
    if (length > bytes.length || from > 0 !== isSigned) continue;
    const size = (offset: number): number => (wide ? Number(view.getBigUint64(offset, true)) : view.getUint32(offset, true));
    if (size(from + 4) !== entry.compressedBytes || size(from + (wide ? 12 : 8)) !== entry.byteLength) continue;
    if (view.getUint32(from, true) !== entry.crc32) {
      findings.add(
        "zip-header-mismatch",
        `The descriptor behind ${JSON.stringify(entry.name)} has another CRC-32 than the directory.`,
        entry.name,
      );
    }
    return length;
  }
  if (isSigned) {
    findings.add(
      "zip-header-mismatch",
      `The descriptor behind ${JSON.stringify(entry.name)} has other sizes than the directory.`,
      entry.name,
    );
    return 16;
  }
  return 0;
}

/** The member that begins with a local header of its own, without a directory: by what that header says. */
export async function memberAt(
  source: ByteSource,
  at: number,
  limits: Limits,
  options?: SignalOptions,
): Promise<(ExaminedMember & { end: number }) | undefined> {
  if (at + RECORD_BYTES.local > source.size) return undefined;
  const fixed = viewOf(await source.read(at, at + RECORD_BYTES.local, options));
  if (fixed.getUint32(0, true) !== SIGNATURE.local) return undefined;
  const nameEnd = at + RECORD_BYTES.local + fixed.getUint16(26, true);
  const dataStart = nameEnd + fixed.getUint16(28, true);
  if (dataStart > source.size) return undefined;
  const name = new TextDecoder().decode((await source.read(at + RECORD_BYTES.local, nameEnd, options)).slice());
  const compressed = fixed.getUint32(18, true);
  const isDeflated = fixed.getUint16(8, true) === METHOD.deflated;
  // Sizes of 0 with a descriptor: the data goes on until something else begins, which only its own format tells.
  const end = compressed > 0 && dataStart + compressed <= source.size ? dataStart + compressed : source.size;
  const raw = sliceSource(source, dataStart, end, `${source.name}#${name}`);
  const content = isDeflated ? inflateSource(raw, fixed.getUint32(22, true), limits) : raw;
  return { name, at, crc32: 0, content, end: compressed > 0 ? end : dataStart };
}

/** Findings, no more of one rule than a person reads. */
class FindingList {
  readonly #findings: Finding[] = [];
  readonly #perRule = new Map<string, number>();

  add(rule: string, message: string, at?: string): void {
    const before = this.#perRule.get(rule) ?? 0;
    this.#perRule.set(rule, before + 1);
    if (before < FINDINGS_PER_RULE) this.#findings.push({ rule, severity: "error", message, ...(at === undefined ? {} : { at }) });
  }

  all(): Finding[] {
    return this.#findings;
  }
}
