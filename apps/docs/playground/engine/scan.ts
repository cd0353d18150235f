import { CheckpointError } from "@ckptkit/core";
import { globFilter, type ScanReport, type ScanRow, scanCheckpoint } from "@ckptkit/inspect";
import { useMachinery } from "./kernels.js";
import { compareNatural } from "./natural-order.js";
import type { Session, SessionId, Sessions } from "./sessions.js";
import type { TaskId, Tasks } from "./tasks.js";

/** By what the rows of a scan are sorted. */
export type ScanSort = "problems" | "file" | "name" | "min" | "max" | "mean" | "std" | "zeros";

/** What a scan has found so far: plain data, and small. */
export interface ScanState {
  /** Rows that are there. */
  readonly rows: number;
  readonly totals: ScanReport["totals"];
  /** Tensors with a NaN or an infinity. */
  readonly notFinite: number;
  readonly skipped: ScanReport["skipped"];
  readonly skippedCount: number;
  readonly isDone: boolean;
  readonly filter: string;
  /** Threads that worked on it. */
  readonly workers: number;
  readonly ms: number;
  readonly byteLength: number;
  /** Rises with every row. */
  readonly version: number;
}

const SKIPPED_SHOWN = 100;

interface Scan {
  readonly rows: ScanRow[];
  /** Rows with NaN or infinities, and those without. */
  readonly bad: ScanRow[];
  readonly good: ScanRow[];
  readonly totals: ScanReport["totals"];
  skipped: ScanReport["skipped"];
  isDone: boolean;
  filter: string;
  workers: number;
  ms: number;
  byteLength: number;
  sorted: { by: ScanSort; descending: boolean; count: number; at: number; rows: readonly ScanRow[] } | undefined;
}

/** Scans by session: reports of other areas have them too. */
const scans = new WeakMap<Session, Scan>();

/** What the last scan of a session found, once it is done. */
export function scanReportOf(session: Session): ScanReport | undefined {
  const scan = scans.get(session);
  return scan?.isDone ? { tensors: scan.rows, totals: scan.totals, skipped: scan.skipped } : undefined;
}

/** The area that looks at every number of a checkpoint. */
export function createScan(sessions: Sessions, tasks: Tasks) {
  const scanOf = (id: SessionId): Scan | undefined => scans.get(sessions.get(id));

  return {
    /**
     * Scans all tensors, or those that a glob chooses. Rows can be read while it runs.
     *
     * @throws {CheckpointError} what reading the tensors throws
     */
    run: (task: TaskId, id: SessionId, filter = ""): Promise<ScanState> =>
      tasks.run(task, async (options) => {
        const session = sessions.get(id);
        const { kernels, pool } = await useMachinery();
        const scan = newScan(filter);
        scan.workers = pool?.size ?? 1;
        scans.set(session, scan);
        const started = performance.now();
        const places = placesOf(session);
        const report = await scanCheckpoint(session.checkpoint, {
          ...options,
          kernels,
          pool,
          select: filter === "" ? undefined : globFilter(filter),
          onTensor: (row) => {
            addRow(scan, row);
            const place = places.get(row.path);
            if (place !== undefined) session.marks.set(place, { nan: row.nan, inf: row.posInf + row.negInf });
          },
          onProgress: (progress) => {
            scan.byteLength = progress.done;
            scan.ms = performance.now() - started;
            options.onProgress(progress);
          },
        });
        scan.skipped = report.skipped;
        scan.ms = performance.now() - started;
        scan.isDone = true;
        return stateOf(scan);
      }),

    /** How far the last scan is; undefined before the first. */
    state: async (id: SessionId): Promise<ScanState | undefined> => {
      const scan = scanOf(id);
      return scan && stateOf(scan);
    },

    /** Rows [start, end) in an order: with `problems`, tensors with NaN or infinities come first. */
    rows: async (id: SessionId, start: number, end: number, by: ScanSort, descending: boolean): Promise<readonly ScanRow[]> => {
      const scan = scanOf(id);
      return scan ? rowsIn(scan, by, descending, start, end) : [];
    },

    /** The report as `ckpt scan --json` prints it. @throws {CheckpointError} INVALID_ARGUMENT before any scan */
    json: async (id: SessionId): Promise<string> => {
      const scan = scanOf(id);
      if (!scan) throw new CheckpointError("INVALID_ARGUMENT", "Nothing has been scanned yet.");
      const { rows: tensors, totals, skipped } = scan;
      return JSON.stringify({ uri: sessions.get(id).checkpoint.uri, tensors, totals, skipped }, null, 2);
    },
  };
}

const newScan = (filter: string): Scan => ({
  rows: [],
  bad: [],
  good: [],
  totals: { tensors: 0, count: 0, nan: 0, posInf: 0, negInf: 0, zeros: 0 },
  skipped: [],
  isDone: false,
  filter,
  workers: 1,
  ms: 0,
  byteLength: 0,
  sorted: undefined,
});

function addRow(scan: Scan, row: ScanRow): void {
  scan.rows.push(row);
  scan.totals.tensors++;
  for (const key of ["count", "nan", "posInf", "negInf", "zeros"] as const) scan.totals[key] += row[key];
  (badOf(row) > 0 ? scan.bad : scan.good).push(row);
}

function stateOf({ rows, bad, totals, skipped, isDone, filter, workers, ms, byteLength }: Scan): ScanState {
  return {
    rows: rows.length,
    totals: { ...totals },
    notFinite: bad.length,
    skipped: skipped.slice(0, SKIPPED_SHOWN),
    skippedCount: skipped.length,
    isDone,
    filter,
    workers,
    ms,
    byteLength,
    version: rows.length,
  };
}

const badOf = (row: ScanRow): number => row.nan + row.posInf + row.negInf;

/** While rows come in, an order is made anew no more often than this. */
const SORT_EVERY_MS = 1000;

function rowsIn(scan: Scan, by: ScanSort, descending: boolean, start: number, end: number): readonly ScanRow[] {
  const { rows, bad, good, sorted } = scan;
  if (by === "problems") return [...bad.slice(start, end), ...good.slice(Math.max(0, start - bad.length), Math.max(0, end - bad.length))];
  if (by === "file" && !descending) return rows.slice(start, end);
  const isSame = sorted?.by === by && sorted.descending === descending;
  if (isSame && (sorted.count === rows.length || (!scan.isDone && performance.now() - sorted.at < SORT_EVERY_MS))) {
    return sorted.rows.slice(start, end);
  }
  const made = order(rows, by, descending);
  scan.sorted = { by, descending, count: rows.length, at: performance.now(), rows: made };
  return made.slice(start, end);
}

function order(rows: readonly ScanRow[], by: Exclude<ScanSort, "problems">, descending: boolean): readonly ScanRow[] {
  if (by === "file") return [...rows].reverse();
  const sign = descending ? -1 : 1;
  if (by === "name") return [...rows].sort((a, b) => sign * compareNatural(a.path, b.path));
  // Tensors without a finite number have no minimum; they stand at the end either way.
  return [...rows].sort((a, b) => {
    const left = a[by];
    const right = b[by];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (left - right);
  });
}

/** The place of each path; of tensors with the same path, the first. */
function placesOf({ columns }: Session): Map<string, number> {
  const places = new Map<string, number>();
  for (const [index, path] of columns.paths.entries()) if (!places.has(path)) places.set(path, index);
  return places;
}
