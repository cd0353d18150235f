import { InvalidArgumentError, Option } from "commander";

/** What `--workers` sets. */
export interface WorkersFlags {
  /** Threads beside the main one; none for 0 and 1. Left out where the command is to decide. */
  workers?: number;
}

const MOST_WORKERS = 256;

/** `--workers N`. */
export const workers = (): Option =>
  new Option("--workers <n>", "threads that share the work, 0 for none; by default one a core, 4 at most, from 256 MiB on").argParser(
    (text) => {
      const count = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
      if (count <= MOST_WORKERS) return count;
      throw new InvalidArgumentError(`It must be a whole number from 0 to ${MOST_WORKERS}.`);
    },
  );
