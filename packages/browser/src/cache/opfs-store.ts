import { opfsFolder } from "../opfs/opfs-path.js";
import { type BlockStore, type Extent, extentName, type KeptFile, parseExtent } from "./block-store.js";

/** Name of the empty file whose time of change tells when the others were used. */
const USED = "used";

/** Keeps extents as files of the origin private file system: one folder a remote file, one file an extent. */
export function opfsStore(folderName: string): BlockStore {
  const root = (): Promise<FileSystemDirectoryHandle> => opfsFolder([folderName], true);
  const folderOf = async (id: string, create = false): Promise<FileSystemDirectoryHandle> =>
    (await root()).getDirectoryHandle(id, { create });

  return {
    async open(id) {
      const folder = await folderOf(id).catch(() => undefined);
      if (!folder) return [];
      await writeFile(folder, USED, new Uint8Array(1)).catch(() => undefined);
      const extents: Extent[] = [];
      for await (const name of folder.keys()) {
        const extent = parseExtent(name);
        if (extent) extents.push(extent);
      }
      return extents;
    },
    async read(id, extent, from, to) {
      try {
        const file = await (await (await folderOf(id)).getFileHandle(extentName(extent))).getFile();
        // Another tab has made its name and not yet its bytes, or the disk was full.
        if (file.size !== extent.end - extent.start) return undefined;
        return new Uint8Array(await file.slice(from - extent.start, to - extent.start).arrayBuffer());
      } catch {
        return undefined;
      }
    },
    async write(id, extent, bytes) {
      await writeFile(await folderOf(id, true), extentName(extent), bytes);
    },
    async ids() {
      const ids: string[] = [];
      for await (const id of (await root()).keys()) ids.push(id);
      return ids;
    },
    async list() {
      const kept: KeptFile[] = [];
      for await (const handle of (await root()).values()) {
        if (handle.kind === "directory") kept.push(await measure(handle as FileSystemDirectoryHandle)); // as its kind says
      }
      return kept;
    },
    async remove(id) {
      await (await root()).removeEntry(id, { recursive: true }).catch(() => undefined);
    },
  };
}

/** Shows whole or not at all: a writer puts its bytes in place when it is closed. */
async function writeFile(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
  try {
    await writable.write(bytes);
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => undefined);
    await folder.removeEntry(name).catch(() => undefined);
    throw error;
  }
}

async function measure(folder: FileSystemDirectoryHandle): Promise<KeptFile> {
  let bytes = 0;
  let usedAt = 0;
  for await (const handle of folder.values()) {
    if (handle.kind !== "file") continue;
    const file = await (handle as FileSystemFileHandle).getFile().catch(() => undefined); // as its kind says
    bytes += file?.size ?? 0;
    usedAt = Math.max(usedAt, file?.lastModified ?? 0);
  }
  return { id: folder.name, bytes, usedAt };
}
