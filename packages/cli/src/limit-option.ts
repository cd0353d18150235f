import {
  CheckpointConfigError,
  DEFAULT_LIMITS,
  FIXED_LIMITS,
  LIMIT_REASONS,
  type LimitName,
  type Limits,
  similarNames,
} from "@ckptkit/core";
import { Option } from "commander";
import { byteSize } from "./option-values.js";

/** What `--limit` sets. */
export interface LimitFlags {
  limit?: Partial<Limits>;
}

/** Longer lines are hard to read. */
const MOST_COLUMNS = 110;

/** Limits that a command line can set. */
const NAMES = (Object.keys(DEFAULT_LIMITS) as LimitName[]).filter((name) => !FIXED_LIMITS.has(name)); // the keys are the names

/** `--limit name=value`, as often as one likes. */
export const limit = (): Option =>
  new Option("--limit <name=value>", "another safety limit, such as pickleBytes=1GiB; ckpt help limits lists them").argParser(parseLimit);

/**
 * Adds one setting to those before it. Values are counts, or sizes such as 2GiB.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for a name that there is not, and for a value that is no number
 */
export function parseLimit(text: string, before: Partial<Limits> = {}): Partial<Limits> {
  const [, given = text.trim(), value] = /^\s*(\w+)\s*=\s*(.+)$/.exec(text) ?? [];
  const name = NAMES.find((one) => one.toLowerCase() === given.toLowerCase());
  if (name === undefined) throw unknownLimit(given);
  const number = value === undefined ? undefined : byteSize(value.replaceAll(/[_,]/g, ""));
  if (number !== undefined) return { ...before, [name]: number };
  throw new CheckpointConfigError("INVALID_ARGUMENT", `--limit ${text}: ${name} needs a number of 1 or more, or a size.`, {
    details: { limit: name, value: value ?? "" },
    suggestions: [
      `--limit ${name}=${DEFAULT_LIMITS[name]} is what it is without this option.`,
      "Sizes are 500MB, 2GB (10^9 bytes) or 2GiB (2^30 bytes).",
    ],
  });
}

function unknownLimit(given: string): CheckpointConfigError {
  const isFixed = [...FIXED_LIMITS].some((name) => name === given);
  const message = isFixed ? `The limit "${given}" is fixed: a command line cannot change it.` : `There is no limit "${given}".`;
  const similar = similarNames(given, NAMES);
  return new CheckpointConfigError("INVALID_ARGUMENT", message, {
    details: { limit: given, limits: NAMES },
    suggestions: [
      ...similar.map((name) => `--limit ${name}=${DEFAULT_LIMITS[name as LimitName]}`),
      "List all limits with: ckpt help limits",
    ], // a name of the list
  });
}

/**
 * What `ckpt limits` and `ckpt help limits` print.
 *
 * @param columns that a line may take.
 */
export function limitsText(columns: number): string {
  const width = Math.max(...NAMES.map((name) => name.length));
  const lines = NAMES.flatMap((name) => {
    const head = `  ${name.padEnd(width)}  ${sizeText(name, DEFAULT_LIMITS[name]).padStart(11)}  `;
    return wrap(LIMIT_REASONS[name], Math.max(30, Math.min(columns, MOST_COLUMNS) - head.length)).map(
      (line, index) => (index === 0 ? head : " ".repeat(head.length)) + line,
    );
  });
  return `Limits bound the time and memory that a file can cost, whoever made it. Raise one for a file that is known to be
good: ckpt inspect model.ckpt --limit pickleBytes=1GiB --limit tensors=10000000

${lines.join("\n")}
`;
}

function sizeText(name: LimitName, value: number): string {
  if (!name.endsWith("Bytes")) return value.toLocaleString("en-US");
  for (const [unit, factor] of [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const) {
    if (value % factor === 0) return `${value / factor} ${unit}`;
  }
  return value.toLocaleString("en-US");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
