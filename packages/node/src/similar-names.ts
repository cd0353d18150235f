import { opendirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { looksLikeCheckpoint, similarNames, someNames } from "@ckptkit/core";

/** Entries of a folder that are looked at for a suggestion: enough for any folder of checkpoints, and bounded for the others. */
const MAX_ENTRIES = 10_000;

/** What to try when nothing is at a path: similar names beside it, or the folder that is missing. */
export function suggestForMissing(path: string): string[] {
  const folder = dirname(path);
  const names = entriesOf(folder);
  if (names) {
    const similar = similarNames(basename(path), names);
    return similar.length > 0
      ? [`Similar names in ${folder}: ${similar.join(", ")}.`]
      : [`The folder ${folder} exists, but holds nothing of that name.`];
  }
  const existing = nearestFolder(folder);
  return [`The folder ${folder} does not exist${existing ? `; ${existing} does` : ""}.`];
}

/** What to try when a folder was given instead of a file. */
export function suggestForFolder(path: string): string[] {
  const names = (entriesOf(path) ?? []).filter(looksLikeCheckpoint).sort();
  if (names.length === 0) return ["Give the path of a file; no file in this folder looks like a checkpoint."];
  return [`Give the path of a file in it: ${someNames(names)}.`];
}

/** Names in a folder, at most {@link MAX_ENTRIES}; undefined when it cannot be listed. */
function entriesOf(folder: string): string[] | undefined {
  try {
    const names: string[] = [];
    const entries = opendirSync(folder);
    try {
      for (let entry = entries.readSync(); entry && names.length < MAX_ENTRIES; entry = entries.readSync()) names.push(entry.name);
    } finally {
      entries.closeSync();
    }
    return names;
  } catch {
    return undefined;
  }
}

function nearestFolder(path: string): string | undefined {
  for (let folder = dirname(path); folder !== path; path = folder, folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found) return found.isDirectory() ? folder : undefined;
  }
  return undefined;
}
