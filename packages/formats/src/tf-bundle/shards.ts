import type { ByteSource, Finding, Limits, OpenOptions, Reading } from "@ckptkit/core";
import { canOpenBeside, type FilesBeside, openBeside } from "../open-beside.js";
import { quoted } from "../quoted.js";
import { TF_TYPES } from "./data-types.js";
import type { BundleEntry, BundleIndex } from "./entries.js";
import { shardName } from "./file-names.js";
import type { LocatedIndex } from "./locate.js";

/** Findings about data files that are listed. */
const FINDINGS_LISTED = 100;

/** The data files of a checkpoint. */
export interface BundleShards {
  /** Those that are open, by their number. */
  readonly sources: ReadonlyMap<number, ByteSource>;
  /** Bytes of them all. */
  readonly byteLength: number;
  /** What to call a data file. */
  nameOf(shard: number): string;
  close(): Promise<void>;
}

/**
 * Opens the data files that hold values.
 *
 * @param findings gets `tf-missing-shard`, `tf-truncated-shard`, and `tf-shards` where nothing was given to open them with.
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED, and what opening a file throws
 */
export function* openShards(
  index: BundleIndex,
  { prefix, known }: LocatedIndex,
  limits: Limits,
  findings: Finding[],
  options: OpenOptions,
): Reading<BundleShards> {
  const nameOf = (shard: number): string => shardName(prefix ?? "", shard, index.shardCount);
  const ends = new Map<number, number>();
  for (const { dtype, shard, offset, size, slices } of [...index.entries, ...index.slices.values()]) {
    if (slices.length === 0 && TF_TYPES.has(dtype)) ends.set(shard, Math.max(ends.get(shard) ?? 0, offset + size));
  }
  const beside: FilesBeside | undefined =
    prefix === undefined ? undefined : yield* openBeside([...ends.keys()].map(nameOf), prefix, limits, options, known);
  const sources = new Map<number, ByteSource>();
  for (const shard of ends.keys()) {
    const source = beside?.files.get(nameOf(shard));
    if (source) sources.set(shard, source);
  }
  const tell = (rule: string, severity: Finding["severity"], message: string, at?: string): void => {
    if (findings.length < FINDINGS_LISTED) findings.push({ rule, severity, message, ...(at === undefined ? {} : { at }) });
  };
  const couldOpen = prefix !== undefined && canOpenBeside(options);
  if (!couldOpen && ends.size > sources.size) {
    const files = ends.size === 1 ? `the data file ${quoted(nameOf(0))}` : `${ends.size} data files, ${quoted(nameOf(0))} and so on`;
    tell("tf-shards", "info", `Values are in ${files}, which ${ends.size === 1 ? "was" : "were"} not opened.`);
  }
  for (const file of beside?.missing ?? []) {
    tell("tf-missing-shard", "error", `The data file ${quoted(file)} is missing: the tensors in it cannot be read.`, file);
  }
  for (const [shard, end] of ends) {
    const size = sources.get(shard)?.size ?? end;
    const file = nameOf(shard);
    if (size >= end) continue;
    const message = `The data file ${quoted(file)} has ${size} bytes, where the index places tensors up to ${end}: it is cut off.`;
    tell("tf-truncated-shard", "error", message, file);
  }
  return {
    sources,
    byteLength: [...sources.values()].reduce((sum, { size }) => sum + size, 0),
    nameOf,
    close: async () => beside?.close(),
  };
}

/** The entries of an index whose values are in data files that are open. */
export const isAtHand = ({ shard, offset, size }: BundleEntry, { sources }: BundleShards): boolean =>
  offset + size <= (sources.get(shard)?.size ?? -1);
