import { fdatasync, fsync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { promisify } from "node:util";

const sync = promisify(fsync);
const dataSync = promisify(fdatasync);

/**
 * Resolves when what was written through a handle is on the device. It goes by the descriptor: the handles that Yarn's Plug'n'Play puts in place of
 * Node's have no `sync`.
 */
export const flush = (handle: FileHandle): Promise<void> => sync(handle.fd);

/** The same for the bytes alone, without times and the like. */
export const flushData = (handle: FileHandle): Promise<void> => dataSync(handle.fd);

/** Flushes a folder's entries, where the system lets folders be opened. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  if (!handle) return;
  await flush(handle).catch(() => undefined);
  await handle.close().catch(() => undefined);
}
