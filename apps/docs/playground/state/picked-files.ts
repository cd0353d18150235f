import type { PickedFile } from "../engine/open.js";
import type { OpenWish } from "./playground.js";

/** The most files of a folder that are looked at; a model's folder has some hundreds. */
const MOST_FILES = 20_000;

/** What was dropped or pasted: files, or a text that is an address. */
export async function wishOfTransfer(data: DataTransfer): Promise<OpenWish | undefined> {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  // All of them are asked at once: after the first wait, the browser takes the list away.
  const handles = await Promise.all(items.map(handleOf));
  const known = handles.filter((handle) => handle !== undefined);
  if (items.length > 0 && known.length === items.length) {
    const files = (await Promise.all(known.map((handle) => filesOfHandle(handle)))).flat();
    return wishOfFiles(files, known.length === 1 ? known[0] : undefined);
  }
  const files = [...data.files].map((file) => ({ path: file.name, file }));
  return files.length > 0 ? wishOfFiles(files) : undefined;
}

/** What files were chosen in an input; those of a folder have their paths in it. */
export function wishOfInput(list: FileList): OpenWish | undefined {
  const files = [...list].slice(0, MOST_FILES).map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return files.length > 0 ? wishOfFiles(files) : undefined;
}

/** A wish to open some files, or a checkpoint among them. */
export function wishOfFiles(files: readonly PickedFile[], handle?: FileSystemFileHandle | FileSystemDirectoryHandle): OpenWish {
  const label = handle?.name ?? (files.length === 1 ? (files[0]?.file.name ?? "") : `${files.length} files`);
  return { label, handle, request: { kind: "files", files } };
}

/** The files behind a handle: one, or all of a folder. */
export async function filesOfHandle(handle: FileSystemFileHandle | FileSystemDirectoryHandle): Promise<PickedFile[]> {
  const files: PickedFile[] = [];
  await collect(handle, handle.name, files);
  return files;
}

async function collect(handle: FileSystemHandle, path: string, files: PickedFile[]): Promise<void> {
  if (files.length >= MOST_FILES) return;
  if (isFile(handle)) files.push({ path, file: await handle.getFile() });
  else if (isFolder(handle)) for await (const inner of handle.values()) await collect(inner, `${path}/${inner.name}`, files);
}

const isFile = (handle: FileSystemHandle): handle is FileSystemFileHandle => handle.kind === "file";
const isFolder = (handle: FileSystemHandle): handle is FileSystemDirectoryHandle => handle.kind === "directory";

/** What browsers with handles give for a dropped thing. */
interface HandleItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

async function handleOf(item: DataTransferItem): Promise<FileSystemFileHandle | FileSystemDirectoryHandle | undefined> {
  // The DOM's types do not have this method of Chromium's yet.
  const handle = await (item as HandleItem).getAsFileSystemHandle?.();
  return handle && (isFile(handle) || isFolder(handle)) ? handle : undefined;
}
