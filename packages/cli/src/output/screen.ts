import type { WriteStream } from "node:tty";
import pc from "picocolors";

/** Styles of text, which leave it as it is where colour is not wanted. */
export type Colors = ReturnType<typeof pc.createColors>;

/** Where text goes: a terminal, or a file or pipe. */
export interface Screen {
  readonly isTerminal: boolean;
  /** Columns that a line may take; infinite for files and pipes. */
  readonly width: number;
  readonly colors: Colors;
  /** Writes text as it is. */
  write(text: string): void;
}

/** Narrower than this, nothing can be laid out. */
const MIN_WIDTH = 40;

/**
 * Tells what a stream can show. Colour is for terminals, unless NO_COLOR takes or FORCE_COLOR gives it. COLUMNS sets the width for
 * files and pipes as well.
 *
 * @see https://no-color.org and https://force-color.org
 */
export function screenOf(stream: NodeJS.WriteStream | WriteStream, env: NodeJS.ProcessEnv = process.env): Screen {
  const isTerminal = stream.isTTY === true;
  const columns = isTerminal ? stream.columns || 80 : Number(env.COLUMNS);
  return {
    isTerminal,
    width: columns > 0 ? Math.max(MIN_WIDTH, columns) : Number.POSITIVE_INFINITY,
    colors: pc.createColors(wantsColor(isTerminal, env)),
    write: (text) => {
      stream.write(text);
    },
  };
}

function wantsColor(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  return isTerminal && env.TERM !== "dumb";
}
