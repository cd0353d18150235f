import { type ByteSource, CheckpointError, checkLimit, type Limits, type OpenOptions, type Reading, step } from "@ckptkit/core";

/** How many files are opened side by side. */
const PARALLEL_FILES = 8;

/** Files beside a checkpoint's description, by the names that it gives them. */
export interface FilesBeside {
  /** Those that are there. */
  readonly files: ReadonlyMap<string, ByteSource>;
  /** Names of those that are not. */
  readonly missing: readonly string[];
  close(): Promise<void>;
}

/** Whether files beside a checkpoint can be opened at all. */
export const canOpenBeside = ({ openSibling, openSiblingSync }: OpenOptions): boolean =>
  openSibling !== undefined || openSiblingSync !== undefined;

/**
 * Opens the files that a description names. One that is not there is `missing`; any other failure closes those that are open, and is thrown.
 *
 * @param known files that are open already; they are not closed by `close`.
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED, and what opening a file throws
 */
export function* openBeside(
  names: Iterable<string>,
  what: string,
  limits: Limits,
  options: OpenOptions,
  known: ReadonlyMap<string, ByteSource> = new Map(),
): Reading<FilesBeside> {
  const wanted = [...new Set(names)].filter((name) => !known.has(name)).sort();
  checkLimit(limits, "files", wanted.length, `Files that ${what} names`);
  const opened = new Map<string, ByteSource>();
  const missing: string[] = [];
  const close = async (): Promise<void> => {
    await Promise.all([...opened.values()].map((file) => file.close?.()));
  };
  const { openSibling, openSiblingSync, onProgress } = options;
  const isMissing = (name: string, error: unknown): void => {
    if (!(error instanceof CheckpointError) || error.code !== "NOT_FOUND") throw error;
    missing.push(name);
  };
  try {
    for (let first = 0; canOpenBeside(options) && first < wanted.length; first += PARALLEL_FILES) {
      const some = wanted.slice(first, first + PARALLEL_FILES);
      yield* step({
        what: `opening ${some[0]}`,
        wait: async () => {
          const outcomes = await Promise.allSettled(
            some.map(async (name) => {
              const file = openSibling ? await openSibling(name) : openSiblingSync?.(name);
              if (file) opened.set(name, file);
            }),
          );
          for (const [index, outcome] of outcomes.entries()) {
            if (outcome.status === "rejected") isMissing(some[index] ?? "", outcome.reason);
          }
        },
        now:
          openSiblingSync &&
          (() => {
            for (const name of some) {
              try {
                opened.set(name, openSiblingSync(name));
              } catch (error) {
                isMissing(name, error);
              }
            }
          }),
      });
      onProgress?.({ phase: "open", done: Math.min(first + PARALLEL_FILES, wanted.length), total: wanted.length });
    }
  } catch (error) {
    yield* step({ what: "closing files", wait: close, now: () => void close() });
    throw error;
  }
  return { files: new Map([...known, ...opened]), missing, close };
}
