import { readdir, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CopyFolder, LOCK } from "./copy-folder.js";
import { tryLockFile } from "./file-lock.js";

/** Names of the folders that `openCopyFolder` makes: nothing else is ever removed. */
const FOLDER = /^[0-9a-f]{40}$/;

/** Removes the copies that were not used for longest until the others fit; those in work, and the one at `keep`, stay. */
export async function evictCopies(copies: string, maxBytes: number, keep: string): Promise<void> {
  const names = (await readdir(copies).catch(() => [])).filter((name) => FOLDER.test(name));
  const found = await Promise.all(names.map((name) => measure(join(copies, name))));
  let total = found.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of found.filter((entry) => entry.path !== keep).sort((a, b) => a.usedAt - b.usedAt)) {
    if (total <= maxBytes) return;
    if (await remove(path)) total -= bytes;
  }
}

async function measure(path: string): Promise<{ path: string; bytes: number; usedAt: number }> {
  const names = await readdir(path).catch(() => []);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name)).catch(() => undefined))?.size ?? 0));
  const used = await stat(join(path, "copy.json")).catch(() => stat(path).catch(() => undefined));
  return { path, bytes: sizes.reduce((sum, size) => sum + size, 0), usedAt: used?.mtimeMs ?? 0 };
}

async function remove(path: string): Promise<boolean> {
  const lock = await tryLockFile(join(path, LOCK)).catch(() => undefined);
  if (!lock) return false;
  try {
    await new CopyFolder(path).clear();
  } finally {
    await lock.release();
  }
  // Stays where another process has just begun to use it.
  await rmdir(path).catch(() => undefined);
  return true;
}
