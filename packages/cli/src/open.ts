import { type ByteSource, type Checkpoint, CheckpointConfigError, countSource, type Limits, type ReadCounts } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/node";
import type { CommandContext } from "./command-context.js";
import { showProgress } from "./output/progress.js";

/** A checkpoint, and what its opening and use read. */
export interface Opened {
  checkpoint: Checkpoint;
  /** Reads that reached files and servers so far, of all files together. */
  counts(): ReadCounts;
  /** Every source that was opened: the file itself, and shards. */
  sources: readonly ByteSource[];
}

/**
 * Opens the checkpoint that a command line names.
 *
 * @param limits other than the default ones
 * @throws {CheckpointConfigError} UNSUPPORTED_URI for "-"
 */
export async function open(uri: string, { signal, err }: CommandContext, limits?: Partial<Limits>): Promise<Opened> {
  checkUri(uri);
  const sources: ReturnType<typeof countSource>[] = [];
  const progress = showProgress(err);
  try {
    const checkpoint = await openCheckpoint(uri, {
      signal,
      limits,
      onProgress: progress.onProgress,
      wrapSource(source) {
        const counted = countSource(source);
        sources.push(counted);
        return counted;
      },
    });
    const sum = (field: keyof ReadCounts): number => sources.reduce((total, { counts }) => total + counts[field], 0);
    return { checkpoint, sources, counts: () => ({ reads: sum("reads"), bytesRead: sum("bytesRead") }) };
  } finally {
    progress.stop();
  }
}

/** Refuses what is no path and no address. */
export function checkUri(uri: string): void {
  if (uri !== "-") return;
  throw new CheckpointConfigError(
    "UNSUPPORTED_URI",
    "Standard input cannot be read: checkpoints are read out of order, from a file or a server.",
    {
      suggestions: ["Save it to a file first, and name that.", 'A file that is really named "-" can be given as ./-'],
    },
  );
}
