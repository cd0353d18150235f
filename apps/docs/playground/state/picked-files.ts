import { filesFromDrop, type PathFile } from "@ckptkit/browser";
import type { OpenWish } from "./playground.js";

/** What of the page can be opened again later. */
export type KeptHandle = FileSystemFileHandle | FileSystemDirectoryHandle;

const isFile = (handle: FileSystemHandle): handle is FileSystemFileHandle => handle.kind === "file";
const isFolder = (handle: FileSystemHandle): handle is FileSystemDirectoryHandle => handle.kind === "directory";

/**
 * What was dropped or pasted, if it was files. To be called before anything is waited for.
 *
 * @throws {CheckpointSourceError} what `filesFromDrop` throws
 */
export async function wishOfTransfer(data: DataTransfer): Promise<OpenWish | undefined> {
  const { files, handles } = await filesFromDrop(data);
  const [handle] = handles.filter((each): each is KeptHandle => isFile(each) || isFolder(each));
  return files.length > 0 ? wishOfFiles(files, handles.length === 1 ? handle : undefined) : undefined;
}

/** A wish to open some files, or a checkpoint among them. */
export function wishOfFiles(files: readonly PathFile[], handle?: KeptHandle): OpenWish {
  const label = handle?.name ?? (files.length === 1 ? (files[0]?.file.name ?? "") : `${files.length} files`);
  return { label, handle, request: { kind: "files", files } };
}

/** What files were chosen in an input; those of a folder have their paths in it. */
export function wishOfInput(list: FileList): OpenWish | undefined {
  const files = Array.from(list, (file): PathFile => ({ path: file.webkitRelativePath || file.name, file }));
  return files.length > 0 ? wishOfFiles(files) : undefined;
}

/** The files behind a handle: one, or all of a folder, with their paths. */
export async function filesOfHandle(handle: KeptHandle): Promise<PathFile[]> {
  if (isFile(handle)) return [{ path: handle.name, file: await handle.getFile(), handle }];
  const files: PathFile[] = [];
  await collect(handle, handle.name, files);
  return files;
}

/** As many as `filesFromDrop` takes: who picks a home folder by mistake is not kept waiting. */
const MOST_FILES = 20_000;

async function collect(folder: FileSystemDirectoryHandle, path: string, files: PathFile[]): Promise<void> {
  for await (const inner of folder.values()) {
    if (files.length >= MOST_FILES) return;
    const at = `${path}/${inner.name}`;
    if (isFile(inner)) files.push({ path: at, file: await inner.getFile(), handle: inner });
    else if (isFolder(inner)) await collect(inner, at, files);
  }
}
