import {
  type ByteSource,
  CheckpointError,
  checkLimit,
  type Finding,
  finish,
  type Limits,
  memorySource,
  type OpenOptions,
  type Tree,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import type { DcpValue } from "./metadata.js";
import { itemSource, readItem } from "./records.js";

/** Values up to this size are kept in memory, together with their neighbours; larger ones are read in parts. */
const SMALL_BYTES = 1024 * 1024;
/** Unwanted bytes between two values that are read along rather than asked for around. */
const GAP_BYTES = 64 * 1024;
/** Bytes of one read of several values. */
const MOST_BYTES = 16 * 1024 * 1024;

/** A value and the part of its file that holds it. */
interface Placed {
  readonly name: string;
  readonly file: ByteSource;
  readonly start: number;
  readonly end: number;
  readonly source: ByteSource;
}

/**
 * Reads the values that are no tensors. One that cannot be read is a finding, and is left out.
 *
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED for more bytes of values than one pickle may have
 */
export async function readValues(
  values: readonly DcpValue[],
  files: ReadonlyMap<string, ByteSource>,
  limits: Limits,
  findings: Finding[],
  options: OpenOptions,
): Promise<Map<string, Tree>> {
  const trees = new Map<string, Tree>();
  const note = (name: string, error: unknown): void => {
    if (!(error instanceof CheckpointError) || error.code === "LIMIT_EXCEEDED") throw error;
    findings.push({ rule: "dcp-value", severity: "error", message: `The value ${quoted(name)} was not read: ${error.message}`, at: name });
  };
  const parse = async (name: string, source: ByteSource): Promise<void> => {
    const found: Finding[] = [];
    try {
      trees.set(name, await finish(readItem({ source, scope: `${name}/`, limits, findings: found }, options)));
    } catch (error) {
      if (options.signal?.aborted) throw error;
      note(name, error);
    }
    findings.push(...found.map((finding) => ({ ...finding, at: name })));
  };
  const placed: Placed[] = [];
  for (const { name, place } of values) {
    try {
      const source = itemSource(name, place, files);
      const file = place && files.get(place.file);
      if (file) placed.push({ name, file, start: place.offset, end: place.offset + place.length, source });
    } catch (error) {
      note(name, error);
    }
  }
  const small = placed.filter(({ source }) => source.size <= SMALL_BYTES);
  checkLimit(
    limits,
    "pickleBytes",
    small.reduce((sum, { source }) => sum + source.size, 0),
    "Values that are no tensors",
  );
  for (const group of neighbours(small)) {
    const { file, start, end, members } = group;
    const bytes = await file.read(start, end, options);
    for (const one of members) await parse(one.name, memorySource(bytes.subarray(one.start - start, one.end - start), one.source.name));
  }
  for (const { name, source } of placed) if (source.size > SMALL_BYTES) await parse(name, source);
  return trees;
}

interface Group {
  readonly file: ByteSource;
  readonly start: number;
  end: number;
  readonly members: Placed[];
}

/** Puts values into groups that are worth one read each. */
function neighbours(values: readonly Placed[]): Group[] {
  const groups: Group[] = [];
  const order = (a: Placed, b: Placed): number => (a.file === b.file ? a.start - b.start : a.file.name < b.file.name ? -1 : 1);
  for (const one of [...values].sort(order)) {
    const last = groups.at(-1);
    if (last && last.file === one.file && one.start - last.end <= GAP_BYTES && one.end - last.start <= MOST_BYTES) {
      last.end = Math.max(last.end, one.end);
      last.members.push(one);
    } else groups.push({ file: one.file, start: one.start, end: one.end, members: [one] });
  }
  return groups;
}
