import { type Checkpoint, CheckpointConfigError, type OperationOptions, type TensorHandle } from "@ckptkit/core";
import type { SelectTensor } from "../select.js";
import { tieKeys } from "../tie-key.js";
import { comparePair, PairBuffers, type PairOutcome } from "./compare-tensors.js";
import { type Matched, type MatchOptions, matchTensors } from "./match-tensors.js";
import { type MetadataDifference, metadataDifferences } from "./metadata-difference.js";
import type { Tolerance, ValueDifference } from "./value-difference.js";

/** What to compare, and how closely. */
export interface CompareOptions extends OperationOptions, MatchOptions {
  /** Tensors of both sides; all when left out. */
  select?: SelectTensor | undefined;
  /** How far values may be apart. Equal when left out. */
  tolerance?: Tolerance | undefined;
  /** False compares names, dtypes and shapes alone, and reads no values. Default true. */
  values?: boolean | undefined;
  /** Another dtype is no difference when the values are within the tolerance. Default false. */
  ignoreDType?: boolean | undefined;
  /** Gets each pair as it has been compared, equal ones too. */
  onTensor?: ((tensor: ComparedTensor) => void) | undefined;
}

/** What is told of a tensor that one side alone has. */
export interface LoneTensor {
  path: string;
  dtype: string;
  shape: readonly number[];
}

/** What a matched pair came to. */
export interface ComparedTensor {
  /** Path in a, and in b where it is another. */
  path: string;
  pathInB?: string;
  /** `same`, or the gravest difference: another shape, another dtype, other values. */
  what: "same" | "shape" | "dtype" | "values";
  /** Of a and of b. */
  dtypes: [string, string];
  shapes: [readonly number[], readonly number[]];
  /** How the values differ, where their bytes do and are numbers: within the tolerance too. */
  difference?: ValueDifference;
}

/** How two checkpoints differ. */
export interface Comparison {
  verdict: "same" | "different";
  matchedBy: Matched["by"];
  /** Pairs that differ, in the order of a. */
  changed: ComparedTensor[];
  added: LoneTensor[];
  removed: LoneTensor[];
  /** Pairs that are the same. */
  same: number;
  /** Names that one side has besides a tied one that both have. */
  ties: Matched["ties"];
  /** Tensors outside the model that were left aside because names were matched. */
  aside: Matched["aside"];
  /** A prefix on one side that would match what is left over. */
  prefix?: NonNullable<Matched["prefix"]>;
  /** Where the metadata differs; it has no part in the verdict. */
  metadata: MetadataDifference[];
  /** Whether values were looked at, and how far they might be apart. */
  values: boolean;
  tolerance: { abs: number; rel: number };
  totals: { tensors: number; elements: number; bytesCompared: number };
}

/**
 * Compares two checkpoints of whatever formats: which tensors were added, removed or changed, and by how much. Values are compared
 * as numbers, so that a cast or another byte order is told from other weights; in constant memory.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for a tolerance below 0
 * @throws {CheckpointLoadError} what reading throws
 * @example
 * const { verdict, changed } = await compareCheckpoints(before, after, { tolerance: { rel: 1e-3 } });
 */
export async function compareCheckpoints(a: Checkpoint, b: Checkpoint, options: CompareOptions = {}): Promise<Comparison> {
  const { tolerance = {}, values = true, select } = options;
  checkTolerance(tolerance);
  const chosen = (source: Checkpoint) => (select ? { ...source, tensors: source.tensors.filter(select) } : source);
  const matched = matchTensors(chosen(a), chosen(b), options);
  const work = new PairWork(matched.pairs, options, tolerance);
  const changed: ComparedTensor[] = [];
  let same = 0;
  for (const [one, two] of matched.pairs) {
    options.signal?.throwIfAborted();
    const compared = await comparePlaced(one, two, values ? work : undefined, options.ignoreDType ?? false);
    if (compared.what === "same") same++;
    else changed.push(compared);
    options.onTensor?.(compared);
  }
  const lone = ({ path, dtype, shape }: TensorHandle): LoneTensor => ({ path, dtype, shape });
  const isSame = changed.length + matched.added.length + matched.removed.length === 0;
  return {
    verdict: isSame ? "same" : "different",
    matchedBy: matched.by,
    changed,
    added: matched.added.map(lone),
    removed: matched.removed.map(lone),
    same,
    ties: matched.ties,
    aside: matched.aside,
    ...(matched.prefix && { prefix: matched.prefix }),
    metadata: metadataDifferences(a.metadata, b.metadata),
    values,
    tolerance: { abs: tolerance.abs ?? 0, rel: tolerance.rel ?? 0 },
    totals: {
      tensors: matched.pairs.length,
      elements: matched.pairs.reduce((sum, [one]) => sum + one.elementCount, 0),
      bytesCompared: work.bytes,
    },
  };
}

function checkTolerance({ abs = 0, rel = 0 }: Tolerance): void {
  if (abs >= 0 && rel >= 0) return;
  throw new CheckpointConfigError("INVALID_ARGUMENT", `The tolerance is ${abs} and ${rel}: numbers of 0 or more were expected.`, {
    details: { abs, rel },
  });
}

async function comparePlaced(a: TensorHandle, b: TensorHandle, work: PairWork | undefined, ignoreDType: boolean): Promise<ComparedTensor> {
  const base = {
    path: a.path,
    ...(a.path !== b.path && { pathInB: b.path }),
    dtypes: [a.dtype, b.dtype] as [string, string], // a tuple, which TypeScript takes for a list
    shapes: [a.shape, b.shape] as [readonly number[], readonly number[]],
  };
  if (a.shape.length !== b.shape.length || a.shape.some((size, axis) => size !== b.shape[axis])) return { ...base, what: "shape" };
  const otherDType = a.dtype !== b.dtype && !ignoreDType;
  const outcome = work && (await work.compare(a, b));
  const what = otherDType ? "dtype" : outcome && !outcome.same ? "values" : "same";
  return { ...base, what, ...(outcome?.difference && { difference: outcome.difference }) };
}

/** Compares values, each pair of the same bytes once. */
class PairWork {
  bytes = 0;
  readonly #options: CompareOptions;
  readonly #tolerance: Tolerance;
  readonly #total: number;
  readonly #keyOfA = tieKeys();
  readonly #keyOfB = tieKeys();
  readonly #known = new Map<string, PairOutcome>();
  readonly #buffers = new PairBuffers();
  #done = 0;

  constructor(pairs: Matched["pairs"], options: CompareOptions, tolerance: Tolerance) {
    this.#options = options;
    this.#tolerance = tolerance;
    this.#total = pairs.reduce((sum, [a, b]) => sum + a.byteLength + b.byteLength, 0);
  }

  async compare(a: TensorHandle, b: TensorHandle): Promise<PairOutcome> {
    const key = `${this.#keyOfA(a.spec)} ${this.#keyOfB(b.spec)}`;
    const until = this.#done + a.byteLength + b.byteLength;
    let outcome = this.#known.get(key);
    if (!outcome) {
      outcome = await this.#compare(a, b, until);
      this.#known.set(key, outcome);
    }
    this.#done = until;
    this.#report(a, until);
    return outcome;
  }

  async #compare(a: TensorHandle, b: TensorHandle, until: number): Promise<PairOutcome> {
    if (!a.storage || !b.storage) return { same: a.storage === b.storage };
    let seen = this.#done;
    const onBytes = (bytes: number): void => {
      this.bytes += bytes;
      seen = Math.min(until, seen + bytes);
      this.#report(a, seen);
    };
    return comparePair(a, b, this.#tolerance, this.#buffers, onBytes, this.#options);
  }

  #report({ path }: TensorHandle, done: number): void {
    this.#options.onProgress?.({ phase: "compare", done, total: this.#total, item: path });
  }
}
