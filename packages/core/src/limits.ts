import { CheckpointLoadError } from "./errors.js";

/**
 * The bounds within which a file is read, each with its reason. Nothing is ever allocated from a declared length: a limit
 * is compared first, and the real size of the file after it.
 */
export const DEFAULT_LIMITS = {
  /** Bytes of the header of safetensors, GGUF or npy; the bound of safetensors itself (safetensors/src/tensor.rs, MAX_HEADER_SIZE). */
  headerBytes: 100_000_000,
  /** Values in the metadata of a GGUF file. Vocabularies with their scores and merges have under a million. */
  metadataValues: 10_000_000,
  /** Bytes of one pickle stream. The largest seen in public checkpoints is tens of megabytes. */
  pickleBytes: 512 * 1024 * 1024,
  /** Opcodes of one pickle: about one per two bytes at the most, so the same order as `pickleBytes`. */
  pickleOpcodes: 200_000_000,
  /** Objects that one pickle may build. 50,000 tensors with optimizer state need about 5 million. */
  pickleNodes: 50_000_000,
  /** Bytes of one string of a pickle. V8's longest string has 2^29 - 24 characters (v8/include/v8-primitive.h, String::kMaxLength). */
  pickleStringBytes: 256 * 1024 * 1024,
  /** Bytes of one binary integer of a pickle: the 2^20 bits that every engine's BigInt can hold (SpiderMonkey, JavaScriptCore). */
  pickleIntegerBytes: 131_072,
  /** Decimal digits of one text integer of a pickle; CPython's own bound (sys.int_info.default_max_str_digits). */
  pickleIntegerDigits: 4_300,
  /** Nesting of the object graph. CPython's own recursion limit is 1,000; whole modules nest to about 60. */
  treeDepth: 1_000,
  /** Values visited while a graph is walked by path. A shared object is visited once per path, which can grow exponentially. */
  treeVisits: 20_000_000,
  /** Tensors of one checkpoint. The largest public mixtures of experts have under 200,000. */
  tensors: 5_000_000,
  /** Files that one checkpoint consists of. The largest runs write one or two for each of some ten thousand processes. */
  files: 100_000,
  /** Members of one zip archive; a member is at least 46 bytes of central directory. */
  zipEntries: 5_000_000,
  /** Bytes of a zip central directory. */
  zipDirectoryBytes: 1024 * 1024 * 1024,
  /** Inflated bytes per deflated byte. DEFLATE itself cannot exceed 1,032 to 1 (RFC 1951, 258 bytes per 2 bits). */
  inflateRatio: 1_100,
  /** Bytes of one inflated member that is kept in memory because it is read out of order. */
  inflatedBytes: 1024 * 1024 * 1024,
  /** Bytes that gathering one strided tensor may hold at a time. */
  gatherBytes: 32 * 1024 * 1024,
  /** Bytes of a tensor that is larger than its storage because its strides repeat it, so that a few bytes may not stand for a terabyte. */
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
    suggestions: [`If the file is known to be good, raise the limit: limits: { ${name}: ${value} }.`],
  });
}
