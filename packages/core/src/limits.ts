import { CheckpointLoadError } from "./errors.js";

/**
 * The bounds within which a file is read; {@link LIMIT_REASONS} says of each what it counts and why it is as large as it is.
 * Nothing is ever allocated from a declared length: a limit is compared first, and the real size of the file after it.
 */
export const DEFAULT_LIMITS = {
  headerBytes: 100_000_000,
  metadataValues: 10_000_000,
  pickleBytes: 512 * 1024 * 1024,
  pickleOpcodes: 200_000_000,
  pickleNodes: 50_000_000,
  pickleStringBytes: 256 * 1024 * 1024,
  pickleIntegerBytes: 131_072,
  pickleIntegerDigits: 4_300,
  treeDepth: 1_000,
  treeVisits: 20_000_000,
  tensors: 5_000_000,
  files: 100_000,
  zipEntries: 5_000_000,
  zipDirectoryBytes: 1024 * 1024 * 1024,
  inflateRatio: 1_100,
  inflatedBytes: 1024 * 1024 * 1024,
  gatherBytes: 32 * 1024 * 1024,
  expandedBytes: 1024 * 1024 * 1024,
} as const satisfies Record<string, number>;

/** Name of a limit. */
export type LimitName = keyof typeof DEFAULT_LIMITS;

/** A full set of limits. Every value is a count or a number of bytes. */
export type Limits = { readonly [name in LimitName]: number };

/**
 * The default limits with some replaced.
 *
 * @example const limits = withLimits({ tensors: 1000 });
 */
export function withLimits(overrides: Partial<Limits> = {}): Limits {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return { ...DEFAULT_LIMITS, ...Object.fromEntries(given) };
}

/**
 * Throws when `value` is over the limit `name`.
 *
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED
 */
export function checkLimit(limits: Limits, name: LimitName, value: number, what: string): void {
  if (value <= limits[name]) return;
  throw new CheckpointLoadError("LIMIT_EXCEEDED", `${what}: ${value} is over the limit "${name}" of ${limits[name]}.`, {
    details: { limit: name, allowed: limits[name], found: value },
    suggestions: [
      `If the file is known to be good, raise the limit: limits: { ${name}: ${value} }, or --limit ${name}=${value} on the command line.`,
    ],
  });
}
