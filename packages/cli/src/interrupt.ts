import { EXIT } from "./output/errors.js";

/** The signal that stopped the process, as the reason of its abort. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("interrupted");
    this.exitCode = exitCode;
  }
}

/** Signals that ask a process to end, with the exit codes that shells expect: 128 + the signal's number. */
const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Turns the first Ctrl-C into an abort, so that what is being written is removed. A second one ends the process at once.
 */
export function watchInterrupts(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const handlers = Object.entries(SIGNALS).map(([name, exitCode]) => {
    const handler = (): void => {
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interrupted(exitCode));
    };
    process.on(name, handler);
    return { name, handler };
  });
  return {
    signal: controller.signal,
    stop() {
      for (const { name, handler } of handlers) process.off(name, handler);
    },
  };
}
