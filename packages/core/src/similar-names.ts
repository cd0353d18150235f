const MAX_NAMES = 3;
/** Suffixes of files that hold weights. */
const CHECKPOINT_SUFFIX = /\.(ckpt|pt|pth|bin|safetensors|gguf|msgpack|npz|npy|h5|hdf5|keras|onnx|distcp|index|index\.json)$/i;

/** Whether a file's name is one that checkpoints have. */
export const looksLikeCheckpoint = (name: string): boolean => CHECKPOINT_SUFFIX.test(name);

/**
 * The names most like `wanted`, best first, and at most three: for "did you mean".
 *
 * @example similarNames("modle.ckpt", ["model.ckpt", "readme.md"]) // ["model.ckpt"]
 */
export function similarNames(wanted: string, names: readonly string[]): string[] {
  const target = wanted.toLowerCase();
  const stem = stemOf(target);
  const scored = names.flatMap((name) => {
    const candidate = name.toLowerCase();
    if (stem !== "" && stemOf(candidate) === stem) return [{ name, score: 0 }];
    const distance = editDistance(target, candidate);
    // A third of the letters wrong: "modle.ckpt" for "model.ckpt", but not any other short name.
    if (distance <= Math.max(target.length, candidate.length) / 3) return [{ name, score: distance }];
    return [];
  });
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1));
  return scored.slice(0, MAX_NAMES).map(({ name }) => name);
}

/** Some names in a sentence: the first three, and how many more there are. */
export function someNames(names: readonly string[]): string {
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
  return `${names.slice(0, MAX_NAMES).join(", ")}${more}`;
}

const stemOf = (name: string): string => name.replace(/\.[^.]*$/, "");

/** Levenshtein's distance; names longer than 255 letters, which no file system has, are cut. */
function editDistance(first: string, second: string): number {
  const a = first.slice(0, 255);
  const b = second.slice(0, 255);
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
