import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SignalOptions } from "@ckptkit/core";
import { fileError } from "./file-errors.js";
import { localPath } from "./local-path.js";

/**
 * Names of what lies in a folder of this machine, sorted; those of folders end with "/". Links count as what they lead to.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND, also for a file
 * @throws {CheckpointSourceError} ACCESS_DENIED, READ_FAILED
 * @example await listFolder("model.zarr"); // [".zgroup", "decoder/", "encoder/"]
 */
export async function listFolder(path: string | URL, { signal }: SignalOptions = {}): Promise<readonly string[]> {
  signal?.throwIfAborted();
  const folder = localPath(path);
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = await Promise.all(
      entries.map(async (entry) => {
        const isFolder = entry.isSymbolicLink()
          ? await stat(join(folder, entry.name)).then(
              (found) => found.isDirectory(),
              () => false, // a link that leads nowhere
            )
          : entry.isDirectory();
        return isFolder ? `${entry.name}/` : entry.name;
      }),
    );
    return names.sort();
  } catch (error) {
    throw fileError(error, folder, "read");
  }
}
