import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** What is named on a command line, and whether it is a folder with files in it. */
export interface Expanded {
  readonly files: readonly string[];
  readonly isFolder: boolean;
}

/** Folders that hold no checkpoints of their own. */
const SKIPPED = new Set([".git", "node_modules", "__pycache__"]);

/** The files of a folder and of those below it, sorted; any other path or address is itself. Links to folders are not followed. */
export async function expand(uri: string): Promise<Expanded> {
  const isFolder = await stat(uri).then(
    (found) => found.isDirectory(),
    () => false, // an address, or nothing: opening it says what is wrong
  );
  return isFolder ? { files: await filesBelow(uri), isFolder } : { files: [uri], isFolder };
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) files.push(...(await filesBelow(path)));
    } else if (entry.isFile() || (entry.isSymbolicLink() && (await stat(path).catch(() => undefined))?.isFile())) files.push(path);
  }
  return files;
}
