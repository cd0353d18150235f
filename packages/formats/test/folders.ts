import { type ByteSource, type Checkpoint, CheckpointNotFoundError, countSource, memorySource, type ReadCounts } from "@ckptkit/core";
import { type OpenCheckpointOptions, openCheckpoint } from "../src/index.js";

/** The files of a folder, by their paths in it. */
export type FolderFiles = ReadonlyMap<string, Uint8Array>;

/** Opens a folder that is in memory by one of its files. Counts what is read of each file. */
export function openFolder(
  files: FolderFiles,
  main: string,
  { isListed = true, ...options }: OpenCheckpointOptions & { isListed?: boolean } = {},
): { checkpoint: Promise<Checkpoint>; counts: Map<string, ReadCounts>; open: Set<string> } {
  const counts = new Map<string, ReadCounts>();
  const opened = new Set<string>();
  const openFile = (path: string): ByteSource => {
    const bytes = files.get(path);
    if (!bytes) throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${path}.`);
    const counted = countSource(memorySource(bytes, path));
    const known = counts.get(path);
    counts.set(path, counted.counts);
    if (known) Object.assign(counted.counts, known);
    opened.add(path);
    return { ...counted, size: counted.size, name: counted.name, close: async () => void opened.delete(path) };
  };
  const folder = main.slice(0, main.lastIndexOf("/") + 1);
  const list = async (below: string): Promise<readonly string[]> => {
    const prefix = folder + below;
    const names = [...files.keys()].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
    return [...new Set(names.map((name) => (name.includes("/") ? name.slice(0, name.indexOf("/") + 1) : name)))];
  };
  const checkpoint = openCheckpoint(openFile(main), {
    openSibling: async (name) => openFile(folder + name),
    ...(isListed ? { listSiblings: list } : {}),
    ...options,
  });
  return { checkpoint, counts, open: opened };
}
