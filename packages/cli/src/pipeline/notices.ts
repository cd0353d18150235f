import type { Notice } from "@ckptkit/core/pipeline";
import { printable } from "../output/printable.js";
import type { Screen } from "../output/screen.js";

/** Tells warnings; with `verbose` suggestions as well. */
export function warnOfNotices(notices: readonly Notice[], screen: Screen, verbose: boolean): void {
  const { colors } = screen;
  for (const { level, message } of notices) {
    if (level === "warning") screen.write(`${colors.yellow("warning")}: ${printable(message)}\n`);
    else if (verbose) screen.write(`${colors.cyan("info")}: ${printable(message)}\n`);
  }
}
