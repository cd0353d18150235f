import type { Checkpoint, TensorHandle } from "@ckptkit/core";
import { tieKeys } from "../tie-key.js";

/** Which of the two checkpoints. */
export type Side = "a" | "b";

/** How tensors of two checkpoints were matched: by their whole path, or model weights by their name in the state dict. */
export type MatchBy = "path" | "name";

/** How to match. */
export interface MatchOptions {
  /** By default whichever matches more, the path where both match alike. */
  by?: MatchBy | undefined;
  /** Changes paths or names before they are matched. */
  rename?: ((name: string, side: Side) => string) | undefined;
}

/** Tensors of two checkpoints, matched. */
export interface Matched {
  by: MatchBy;
  pairs: [TensorHandle, TensorHandle][];
  /** Those of a alone, and of b alone. */
  removed: TensorHandle[];
  added: TensorHandle[];
  /** Names of one side alone that are tied there to a matched tensor, where the other format keeps each tensor once. */
  ties: { side: Side; path: string; tiedTo: string }[];
  /** How many were left aside: tensors outside the model, when names are matched. */
  aside: { a: number; b: number };
  /** A prefix that, when it is taken away on one side, matches what is left over. */
  prefix?: { side: Side; prefix: string; matches: number };
}

type Named = readonly (readonly [name: string, tensor: TensorHandle])[];
type Described = Pick<Checkpoint, "format" | "tensors" | "layout">;

/** Matches the tensors of two checkpoints. Reads nothing. */
export function matchTensors(a: Described, b: Described, { by, rename = (name) => name }: MatchOptions): Matched {
  const named = (source: Described, side: Side, how: MatchBy): Named =>
    how === "path"
      ? source.tensors.map((tensor) => [rename(tensor.path, side), tensor] as const)
      : source.tensors.filter(({ group }) => group === "model").map((tensor) => [rename(tensor.name, side), tensor] as const);
  const match = (how: MatchBy) => ({ how, ...pair(named(a, "a", how), named(b, "b", how)) });
  const byPath = by === "name" ? undefined : match("path");
  const byName = by === "path" ? undefined : match("name");
  const usual = a.layout === b.layout ? byPath : byName;
  const [first, second] = usual === byName ? [byName, byPath] : [byPath, byName];
  // One of them is there: only one can be ruled out.
  const best = (!first || (second && second.pairs.length > first.pairs.length) ? second : first) ?? match("path");
  const aside = (source: Described): number => (best.how === "name" ? source.tensors.filter(({ group }) => group !== "model").length : 0);
  const removed = dropTies(
    "a",
    best.removed,
    best.pairs.map(([tensor]) => tensor),
    b,
  );
  const added = dropTies(
    "b",
    best.added,
    best.pairs.map(([, tensor]) => tensor),
    a,
  );
  const prefix = findPrefix(removed.left, added.left);
  return {
    by: best.how,
    pairs: best.pairs,
    removed: removed.left.map(([, tensor]) => tensor),
    added: added.left.map(([, tensor]) => tensor),
    ties: [...removed.ties, ...added.ties],
    aside: { a: aside(a), b: aside(b) },
    ...(prefix && { prefix }),
  };
}

/** Pairs equal names; of two that one side has twice, the first with the first. */
function pair(a: Named, b: Named): { pairs: [TensorHandle, TensorHandle][]; removed: Named; added: Named } {
  const waiting = new Map<string, { tensors: TensorHandle[]; next: number }>();
  for (const [name, tensor] of b) {
    const entry = waiting.get(name);
    if (entry) entry.tensors.push(tensor);
    else waiting.set(name, { tensors: [tensor], next: 0 });
  }
  const pairs: [TensorHandle, TensorHandle][] = [];
  const removed: (readonly [string, TensorHandle])[] = [];
  const matched = new Set<TensorHandle>();
  for (const entry of a) {
    const found = waiting.get(entry[0]);
    const other = found?.tensors[found.next];
    if (!found || !other) {
      removed.push(entry);
      continue;
    }
    found.next++;
    matched.add(other);
    pairs.push([entry[1], other]);
  }
  return { pairs, removed, added: b.filter(([, tensor]) => !matched.has(tensor)) };
}

/** safetensors' writers keep one name of tied tensors and drop the others: those are not missing. */
function dropTies(side: Side, alone: Named, matched: readonly TensorHandle[], other: Described): { left: Named; ties: Matched["ties"] } {
  if (alone.length === 0 || !other.format.startsWith("safetensors")) return { left: alone, ties: [] };
  const keyOf = tieKeys();
  const kept = new Map(matched.map((tensor) => [keyOf(tensor.spec), tensor.path]));
  const ties: Matched["ties"] = [];
  const left = alone.filter(([, tensor]) => {
    const tiedTo = kept.get(keyOf(tensor.spec));
    if (tiedTo !== undefined) ties.push({ side, path: tensor.path, tiedTo });
    return tiedTo === undefined;
  });
  return { left, ties };
}

/** Names of the shorter side that are looked for at the end of the other's. */
const TRIED = 16;

function findPrefix(a: Named, b: Named): Matched["prefix"] {
  const best = [prefixOf("a", a, b), prefixOf("b", b, a)].sort((one, two) => (two?.matches ?? 0) - (one?.matches ?? 0))[0];
  return best && best.matches * 2 >= Math.min(a.length, b.length) ? best : undefined;
}

function prefixOf(side: Side, long: Named, short: Named): Matched["prefix"] {
  const known = new Set(short.map(([name]) => name));
  const candidates = new Map<string, number>();
  for (const [wanted] of short.slice(0, TRIED)) {
    for (const [name] of long) {
      const prefix = name.slice(0, Math.max(0, name.length - wanted.length));
      if (wanted !== "" && prefix.endsWith(".") && name.endsWith(wanted)) candidates.set(prefix, 0);
      if (candidates.size > TRIED) break;
    }
  }
  let best: Matched["prefix"];
  for (const prefix of candidates.keys()) {
    const matches = long.filter(([name]) => name.startsWith(prefix) && known.has(name.slice(prefix.length))).length;
    if (matches > (best?.matches ?? 0)) best = { side, prefix, matches };
  }
  return best;
}
