import type { Screen } from "./output/screen.js";

/** What a command gets from the process around it. */
export interface CommandContext {
  /** Where results go. */
  readonly out: Screen;
  /** Where everything else goes: warnings, progress, timings. */
  readonly err: Screen;
  /** Is aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What every command takes. */
export interface CommonFlags {
  json?: boolean;
  verbose?: boolean;
}
