import { opendir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";

/** Entries of a folder that are looked at for a suggestion: enough for any folder of checkpoints, and bounded for the others. */
const MAX_ENTRIES = 10_000;
const MAX_NAMES = 3;
/** Suffixes of files that hold weights. */
const CHECKPOINT_SUFFIX = /\.(ckpt|pt|pth|bin|safetensors|gguf|npz|npy|h5|onnx|distcp|index\.json)$/i;

/** What to try when nothing is at a path: similar names beside it, or the folder that is missing. */
export async function suggestForMissing(path: string): Promise<string[]> {
  const folder = dirname(path);
  const names = await entriesOf(folder);
  if (names) {
    const similar = similarNames(basename(path), names);
    return similar.length > 0
      ? [`Similar names in ${folder}: ${similar.join(", ")}.`]
      : [`The folder ${folder} exists, but holds nothing of that name.`];
  }
  const existing = await nearestFolder(folder);
  return [`The folder ${folder} does not exist${existing ? `; ${existing} does` : ""}.`];
}

/** What to try when a folder was given instead of a file. */
export async function suggestForFolder(path: string): Promise<string[]> {
  const names = ((await entriesOf(path)) ?? []).filter((name) => CHECKPOINT_SUFFIX.test(name)).sort();
  if (names.length === 0) return ["Give the path of a file; no file in this folder looks like a checkpoint."];
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "";
  return [`Give the path of a file in it: ${names.slice(0, MAX_NAMES).join(", ")}${more}.`];
}

/** The names most like `wanted`, best first, and at most three. */
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

/** Names in a folder, at most {@link MAX_ENTRIES}; undefined when it cannot be listed. */
async function entriesOf(folder: string): Promise<string[] | undefined> {
  try {
    const names: string[] = [];
    for await (const entry of await opendir(folder)) {
      names.push(entry.name);
      if (names.length >= MAX_ENTRIES) break;
    }
    return names;
  } catch {
    return undefined;
  }
}

async function nearestFolder(path: string): Promise<string | undefined> {
  for (let folder = dirname(path); folder !== path; path = folder, folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found) return found.isDirectory() ? folder : undefined;
  }
  return undefined;
}
