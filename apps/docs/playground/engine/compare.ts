import { type ComparedTensor, type Comparison, compareCheckpoints, type LoneTensor, type Tolerance } from "@ckptkit/inspect";
import type { Session, SessionId, Sessions } from "./sessions.js";
import type { TaskId, Tasks } from "./tasks.js";

/** How to compare. */
export interface CompareWish {
  readonly tolerance: Tolerance;
  /** Whether values are read; names, dtypes and shapes alone otherwise. */
  readonly values: boolean;
  /** Whether another dtype is no difference as long as the values agree. */
  readonly ignoreDType: boolean;
}

/** One line of what was found. */
export type DifferenceRow = ({ readonly kind: "changed" } & ComparedTensor) | ({ readonly kind: "added" | "removed" } & LoneTensor);

/** What a comparison came to, without the rows, which are fetched as they come into view. */
export interface CompareState extends Omit<Comparison, "changed" | "added" | "removed" | "ties"> {
  readonly a: string;
  readonly b: string;
  readonly rows: number;
  readonly changed: number;
  readonly added: number;
  readonly removed: number;
  readonly tied: number;
  readonly ms: number;
}

const METADATA_SHOWN = 200;

/** The area that compares two open checkpoints. */
export function createCompare(sessions: Sessions, tasks: Tasks) {
  const found = new WeakMap<Session, { rows: readonly DifferenceRow[]; whole: Comparison }>();
  return {
    /**
     * Compares two sessions, of whatever formats.
     *
     * @throws {CheckpointError} what reading throws
     */
    run: (task: TaskId, a: SessionId, b: SessionId, wish: CompareWish): Promise<CompareState> =>
      tasks.run(task, async (options) => {
        const [one, two] = [sessions.get(a), sessions.get(b)];
        const started = performance.now();
        const whole = await compareCheckpoints(one.checkpoint, two.checkpoint, { ...options, ...wish });
        const { changed, added, removed, ties, metadata, ...rest } = whole;
        const rows: DifferenceRow[] = [
          ...[...changed].sort((x, y) => weightOf(y) - weightOf(x)).map((row) => ({ kind: "changed" as const, ...row })),
          ...removed.map((row) => ({ kind: "removed" as const, ...row })),
          ...added.map((row) => ({ kind: "added" as const, ...row })),
        ];
        found.set(one, { rows, whole });
        return {
          ...rest,
          metadata: metadata.slice(0, METADATA_SHOWN),
          a: one.info.name,
          b: two.info.name,
          rows: rows.length,
          changed: changed.length,
          added: added.length,
          removed: removed.length,
          tied: ties.length,
          ms: performance.now() - started,
        };
      }),

    /** Rows [start, end): what changed, the most first, then what is missing and what is new. */
    rows: async (a: SessionId, start: number, end: number): Promise<readonly DifferenceRow[]> =>
      found.get(sessions.get(a))?.rows.slice(start, end) ?? [],

    /** All of it as `ckpt compare --json` prints it. */
    json: async (a: SessionId): Promise<string> => JSON.stringify(found.get(sessions.get(a))?.whole ?? null, null, 2),
  };
}

/** Another shape weighs more than other values, and those weigh by how far they are apart. */
function weightOf({ what, difference }: ComparedTensor): number {
  if (what === "shape") return 4;
  if (difference && difference.nanMismatch + difference.infMismatch > 0) return 3;
  return (difference?.maxRel ?? 0) / 2;
}
