let counter = 0;

/** A name that no other test uses, as every test of a browser shares one file system. */
export const freshName = (suffix = ""): string => `test-${Date.now()}-${counter++}${suffix}`;

/** The bytes of a file of the origin private file system; undefined when there is none. */
export async function opfsBytes(name: string): Promise<Uint8Array | undefined> {
  const root = await navigator.storage.getDirectory();
  const handle = await root.getFileHandle(name).catch(() => undefined);
  return handle && new Uint8Array(await (await handle.getFile()).arrayBuffer());
}

/** Makes a file of the origin private file system. */
export async function putOpfs(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<FileSystemFileHandle> {
  const handle = await (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(bytes);
  await writable.close();
  return handle;
}

/** Names in a folder of the origin private file system; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  const handle = await (await navigator.storage.getDirectory()).getDirectoryHandle(folder).catch(() => undefined);
  if (handle) for await (const name of handle.keys()) names.push(name);
  return names;
}
