import type { Progress } from "@ckptkit/core";
import { formatSize } from "@ckptkit/core";
import type { SingleBar } from "cli-progress";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText, durationText, rateText } from "./sizes.js";
import { cutMiddle } from "./width.js";

/** What is done sooner needs no bar. */
const PATIENCE_MS = 500;
const BAR_COLUMNS = 24;
/** Progress counts shards while a sharded checkpoint is opened, and numbers while they are computed with; else bytes. */
const ITEM_PHASES = new Set(["open", "quantize", "prune"]);

/** Shows how far a long operation is. */
export interface ProgressDisplay {
  /** Undefined where nobody would see it. */
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** Removes the bar. */
  stop(): void;
}

/** A bar on a terminal, from half a second on, with rate and time left. Files and pipes get none. */
export function showProgress(screen: Screen): ProgressDisplay {
  if (!screen.isTerminal) return { onProgress: undefined, stop: () => {} };
  let bar: SingleBar | "loading" | "stopped" | undefined;
  let latest: Progress | undefined;
  let startedAt = performance.now();
  const shownFrom = startedAt + PATIENCE_MS;

  const open = async (): Promise<void> => {
    const { default: progress } = await import("cli-progress");
    if (bar !== "loading") return;
    bar = new progress.SingleBar({
      stream: process.stderr,
      clearOnComplete: true,
      // Changes no mode of the terminal, so that none is left behind however the process ends.
      hideCursor: false,
      linewrap: true,
      gracefulExit: false,
      format: () => (latest ? lineOf(latest, performance.now() - startedAt, process.stderr.columns || 80, screen) : ""),
    });
    bar.start(1, 0);
  };

  return {
    onProgress(progress) {
      if (latest && latest.phase !== progress.phase) startedAt = performance.now();
      latest = progress;
      if (typeof bar === "object") bar.update(0);
      else if (bar === undefined && performance.now() >= shownFrom) {
        bar = "loading";
        void open();
      }
    },
    stop() {
      if (typeof bar === "object") bar.stop();
      bar = "stopped";
    },
  };
}

/** One line, always shorter than the terminal is wide. */
function lineOf({ phase, done, total, item }: Progress, elapsedMs: number, columns: number, screen: Screen): string {
  const { colors } = screen;
  const part = total > 0 ? Math.min(1, done / total) : 1;
  const amount = ITEM_PHASES.has(phase) ? `${countText(done)} of ${countText(total)}` : `${formatSize(done)} of ${formatSize(total)}`;
  let room = columns - 1;
  let line = "";
  const add = (text: string, style = (plain: string) => plain): void => {
    if (text.length > room) return;
    room -= text.length;
    line += style(text);
  };
  add(`${phase}  `);
  add(`${String(Math.floor(part * 100)).padStart(3)}%  `);
  if (room > 2 * BAR_COLUMNS) {
    const filled = Math.round(part * BAR_COLUMNS);
    add("█".repeat(filled), colors.cyan);
    add(`${"░".repeat(BAR_COLUMNS - filled)}  `, colors.dim);
  }
  add(amount);
  if (!ITEM_PHASES.has(phase)) add(`  ${rateText(done, elapsedMs)}`);
  if (done > 0 && done < total) add(`  ${durationText((elapsedMs / done) * (total - done))} left`);
  if (item !== undefined && room >= 16) line += `  ${colors.dim(cutMiddle(printable(item), room - 2))}`;
  return line;
}
