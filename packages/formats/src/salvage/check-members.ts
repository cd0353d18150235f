import {
  type ByteSource,
  CheckpointError,
  CheckpointSourceError,
  crcMismatch,
  type Finding,
  finish,
  type Kernels,
  type Limits,
  type OperationOptions,
} from "@ckptkit/core";
import { readDirectory, type ZipEntry } from "../zip/directory.js";
import { memberSource } from "../zip/member-source.js";
import { METHOD, RECORD_BYTES } from "../zip/records.js";
import { walkMembers } from "../zip/walk-members.js";

/** A member that cannot be trusted or read. */
export interface BadMember {
  readonly name: string;
  readonly headerStart: number;
  /** Where its data begins, where that is known. */
  readonly dataStart?: number | undefined;
  /** Bytes of its data, where they are known. */
  readonly byteLength?: number | undefined;
  /** What is wrong with it; undefined when its end was not found. */
  readonly why: string | undefined;
}

/** The members of a damaged archive. */
export interface CheckedMembers {
  /** Whole ones, by name: their bytes have the CRC-32 that was recorded, where one was. */
  readonly good: ReadonlyMap<string, ZipEntry>;
  readonly bad: ReadonlyMap<string, BadMember>;
  readonly findings: readonly Finding[];
}

const PIECE_BYTES = 1024 * 1024;
/** How often all bytes of a file may be checked: headers that lie within one another are no writer's work. */
const MOST_PASSES = 4;

/**
 * Finds the members of an archive by its directory, and where that is lost or wrong by their own headers, and checks each
 * against its CRC-32. Reads the whole file.
 *
 * @throws {CheckpointSourceError} when the source cannot be read
 */
export async function checkMembers(
  source: ByteSource,
  kernels: Kernels,
  limits: Limits,
  options: OperationOptions,
): Promise<CheckedMembers> {
  const members = new Members(source, kernels, limits, options);
  const directory = await directoryOf(source, limits, members.findings, options);
  for (const entry of directory) await members.add(entry);
  if (directory.length > 0 && members.bad.size === 0 && members.findings.length === 0) return members;
  const within = withinMembers(members.good.values());
  const listed = new Map(directory.map((entry) => [entry.name, entry]));
  for (const { name, headerStart, dataStart, entry } of await walkMembers(source, limits, options)) {
    if (within.has(headerStart)) continue;
    const known = listed.get(name);
    // Another version of a member that the directory lists is not that member.
    if (known && known.headerStart !== headerStart && known.crc32 !== entry?.crc32) continue;
    if (entry) {
      if (await members.add(entry)) within.add(entry);
    } else members.refuse({ name, headerStart, dataStart, byteLength: known?.byteLength, why: undefined });
  }
  return members;
}

/** What tells that a directory is not that of the whole file. */
const WRONG_END: ReadonlySet<string> = new Set(["zip-two-ends", "zip-trailing-data", "zip-contradicting-ends", "zip-prepended-data"]);

/** The members that the directory lists; none when it cannot be read. What is wrong with it is a finding. */
async function directoryOf(source: ByteSource, limits: Limits, findings: Finding[], options: OperationOptions): Promise<ZipEntry[]> {
  const note = (rule: string, message: string): void => {
    findings.push({ rule, severity: "warning", message });
  };
  try {
    const { entries } = await finish(
      readDirectory(source, limits, options, (rule, error) => {
        // Not the file's own end: perhaps that of an archive within a tensor.
        if (WRONG_END.has(rule)) throw error;
        note(rule, error.message);
      }),
    );
    return entries.sort((a, b) => a.headerStart - b.headerStart);
  } catch (error) {
    note("zip-directory-lost", `The directory cannot be read, so members were looked for by their own headers. ${messageOf(error)}`);
    return [];
  }
}

/** Tells of ascending places whether they lie within members: what looks like a member there is a part of one. */
function withinMembers(entries: Iterable<ZipEntry>): { has(at: number): boolean; add(entry: ZipEntry): void } {
  const sorted = [...entries].sort((a, b) => a.headerStart - b.headerStart);
  let next = 0;
  let reach = 0;
  const add = (entry: ZipEntry): void => {
    // The extra field is not counted in: its length stands in the file alone.
    reach = Math.max(reach, entry.headerStart + RECORD_BYTES.local + entry.nameBytes + entry.compressedBytes);
  };
  return {
    add,
    has(at) {
      for (let entry = sorted[next]; entry && entry.headerStart <= at; entry = sorted[++next]) add(entry);
      return at < reach;
    },
  };
}

/** What a defect of the file says. @throws the error, when it is none */
function messageOf(error: unknown): string {
  const isOther = !(error instanceof CheckpointError) || (error instanceof CheckpointSourceError && error.code !== "OUT_OF_RANGE");
  if (isOther) throw error;
  return error.message;
}

class Members implements CheckedMembers {
  readonly good = new Map<string, ZipEntry>();
  readonly bad = new Map<string, BadMember>();
  readonly findings: Finding[] = [];
  /** Names that two whole members have. */
  readonly #twice = new Set<string>();
  #checkedBytes = 0;

  constructor(
    readonly source: ByteSource,
    readonly kernels: Kernels,
    readonly limits: Limits,
    readonly options: OperationOptions,
  ) {}

  refuse(member: BadMember): void {
    if (!this.good.has(member.name) && !this.#twice.has(member.name)) this.bad.set(member.name, member);
  }

  /** Checks a member. Tells whether its bytes are whole. */
  async add(entry: ZipEntry): Promise<boolean> {
    const { name, headerStart, byteLength } = entry;
    const why = await this.#defectOf(entry);
    if (why !== undefined) {
      this.refuse({ name, headerStart, byteLength, why });
      return false;
    }
    const before = this.good.get(name);
    if (this.#twice.has(name) || (before && before.headerStart !== headerStart)) {
      this.#twice.add(name);
      this.good.delete(name);
      const why = `The archive holds two members named ${JSON.stringify(name)}: readers choose differently.`;
      this.bad.set(name, { name, headerStart, byteLength, why });
      return true;
    }
    this.good.set(name, entry);
    this.bad.delete(name);
    return true;
  }

  /** What is wrong with a member; undefined when it is whole. */
  async #defectOf(entry: ZipEntry): Promise<string | undefined> {
    const { source, limits, options } = this;
    this.#checkedBytes += entry.compressedBytes;
    if (this.#checkedBytes > MOST_PASSES * source.size) return "Too many members lie within one another.";
    const hasCrc = entry.crc32 !== 0;
    const hasher = this.kernels.hasher("crc32");
    try {
      const member = memberSource(source, entry, limits);
      await member.read(0, 0, options); // compares its header with the directory
      // Whether a deflated member is whole shows when it is inflated, with or without a CRC-32.
      if (hasCrc || entry.method === METHOD.deflated) {
        for (let at = 0; at < member.size; at += PIECE_BYTES) {
          hasher.update(await member.read(at, Math.min(member.size, at + PIECE_BYTES), options));
        }
      }
      options.onProgress?.({ phase: "check", done: Math.min(entry.limit, source.size), total: source.size, item: entry.name });
      const found = Number.parseInt(hasher.hexDigest(), 16);
      return hasCrc && found !== entry.crc32 ? crcMismatch(entry.name, entry.crc32, found).message : undefined;
    } catch (error) {
      return messageOf(error);
    } finally {
      hasher.free();
    }
  }
}
