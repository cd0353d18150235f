import { type ByteSource, type Finding, type Limits, type OpenOptions, type Reading, readStep } from "@ckptkit/core";
import { canOpenBeside, openBeside } from "../open-beside.js";
import { quoted } from "../quoted.js";
import { isCheckpointState, latestPrefix, MOST_STATE_BYTES } from "./checkpoint-state.js";
import { shardError } from "./errors.js";
import { baseName, indexName, isShardName, prefixOf } from "./file-names.js";
import { endsAsTable } from "./footer.js";

/** An index and what is known of the files beside it. */
export interface LocatedIndex {
  readonly index: ByteSource;
  /** What the names of all files begin with; undefined where the index has no name that tells. */
  readonly prefix: string | undefined;
  /** Files that are open already. */
  readonly known: ReadonlyMap<string, ByteSource>;
  /** Closes what was opened to find it: not the source that it was looked for from. */
  close(): Promise<void>;
}

/** Bytes of a table's footer, and more than those of its magic number. */
const TAIL_BYTES = 48;

/**
 * Finds the index: the file itself, or the file beside it that a text `checkpoint` or a data file stands for.
 *
 * @throws {CheckpointLoadError} TF_BUNDLE_SHARD when the index is not there, or cannot be opened; TF_BUNDLE_CORRUPT
 */
export function* locateIndex(source: ByteSource, limits: Limits, findings: Finding[], options: OpenOptions): Reading<LocatedIndex> {
  const alone: LocatedIndex = { index: source, prefix: prefixOf(source.name), known: new Map(), close: async () => undefined };
  const tail = yield* readStep(source, Math.max(0, source.size - TAIL_BYTES), source.size, options);
  if (endsAsTable(tail)) return alone;
  const head = yield* readStep(source, 0, Math.min(MOST_STATE_BYTES, source.size), options);
  const isState = isCheckpointState(head);
  if (!isState && !isShardName(source.name)) return alone;
  const prefix = isState ? latestPrefix(new TextDecoder().decode(head.slice()), source.name, findings) : (prefixOf(source.name) ?? "");
  const file = indexName(prefix);
  const what = isState
    ? "names the latest checkpoint"
    : "is a data file of a TensorFlow checkpoint: numbers alone, without names and shapes";
  if (!canOpenBeside(options)) {
    throw shardError(`${source.name} ${what}. Its index, ${quoted(file)}, was not given.`, { index: file });
  }
  const beside = yield* openBeside([file], source.name, limits, options);
  const index = beside.files.get(file);
  if (!index) throw shardError(`${source.name} ${what}. Its index, ${quoted(file)}, is not beside it.`, { index: file });
  const known = isState ? new Map<string, ByteSource>() : new Map([[baseName(source.name), source]]);
  return { index, prefix, known, close: beside.close };
}
