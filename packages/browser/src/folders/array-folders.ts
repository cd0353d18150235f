import type { FolderEntry } from "./folder.js";

/** Files that describe a folder of arrays, the best first: of Orbax, of OCDBT, of zarr. */
const DESCRIBING = ["_METADATA", "_CHECKPOINT_METADATA", "manifest.ocdbt", ".zmetadata", "zarr.json", ".zgroup", ".zarray"];

/** Whether a file describes a folder of arrays. */
export const describesArrays = (path: string): boolean => DESCRIBING.includes(nameOf(path));

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/") + 1);

/** A folder of arrays: what describes it, and all other files in it and below. */
export interface ArrayFolder {
  readonly path: string;
  readonly files: readonly string[];
}

/** The folders of Orbax and zarr among some files, the outermost ones: arrays and groups within them belong to them. */
export function arrayFolders(entries: readonly FolderEntry[]): ArrayFolder[] {
  const best = new Map<string, string>();
  for (const { path } of entries) {
    const name = nameOf(path);
    const folder = folderOf(path);
    const rank = DESCRIBING.indexOf(name);
    const known = best.get(folder);
    if (rank >= 0 && (known === undefined || rank < DESCRIBING.indexOf(known))) best.set(folder, name);
  }
  const isWithin = (folder: string): boolean => {
    for (let at = folder.lastIndexOf("/", folder.length - 2); at >= 0; at = folder.lastIndexOf("/", at - 1)) {
      if (best.has(folder.slice(0, at + 1))) return true;
      if (at === 0) break;
    }
    return folder !== "" && best.has("");
  };
  return [...best]
    .filter(([folder]) => !isWithin(folder))
    .map(([folder, name]) => {
      const path = folder + name;
      return { path, files: entries.flatMap((entry) => (entry.path.startsWith(folder) && entry.path !== path ? [entry.path] : [])) };
    });
}
