import { canCreateWritable, extended } from "../files/file-system-api.js";
import { opfsRoot } from "./opfs-path.js";

/** Folder for files that are being written. */
const FOLDER = ".ckptkit-staging";

/** A file that nobody sees yet, in the origin private file system. */
export interface StagedFile {
  readonly handle: FileSystemFileHandle;
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends the writing. */
  close(): Promise<void>;
  /** Removes the file, if it is still there, and lets go of its name. Never rejects. */
  remove(): Promise<void>;
  /** Lets go of the name, after the file has been moved elsewhere. */
  release(): void;
}

/**
 * A new staged file. Each is guarded by a Web Lock for as long as its tab or worker lives, so that the files of those that died can be told
 * apart: they are removed here.
 *
 * @see https://w3c.github.io/web-locks/
 */
export async function stageFile(): Promise<StagedFile> {
  const folder = await (await opfsRoot()).getDirectoryHandle(FOLDER, { create: true });
  await removeAbandoned(folder);
  const name = crypto.randomUUID();
  const release = await holdLock(`${FOLDER}/${name}`);
  try {
    const handle = await folder.getFileHandle(name, { create: true });
    const writer = await openWriter(handle);
    let open = true;
    const close = async (commit: boolean): Promise<void> => {
      if (!open) return;
      open = false;
      await (commit ? writer.close() : writer.abort());
    };
    return {
      handle,
      append: (bytes) => writer.append(bytes),
      close: () => close(true),
      async remove() {
        await close(false).catch(() => undefined);
        await folder.removeEntry(name).catch(() => undefined);
        release();
      },
      release,
    };
  } catch (error) {
    await folder.removeEntry(name).catch(() => undefined);
    release();
    throw error;
  }
}

interface Writer {
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** Without a copy of the file in workers, which have handles for that; through the browser's own temporary file on pages. */
async function openWriter(handle: FileSystemFileHandle): Promise<Writer> {
  const access = await extended(handle).createSyncAccessHandle?.();
  if (access) {
    let at = 0;
    return {
      async append(bytes) {
        for (let from = 0; from < bytes.length; ) {
          const written = access.write(bytes.subarray(from), { at });
          if (written === 0) throw new DOMException("nothing more could be written", "QuotaExceededError");
          from += written;
          at += written;
        }
      },
      async close() {
        try {
          access.flush();
        } finally {
          access.close();
        }
      },
      abort: async () => access.close(),
    };
  }
  if (!canCreateWritable(handle)) throw new DOMException("this browser writes private files in workers only", "NotSupportedError");
  const writable = await handle.createWritable();
  return {
    append: (bytes) => writable.write(bytes),
    close: () => writable.close(),
    abort: () => writable.abort(),
  };
}

/** Removes files whose writers are gone. */
async function removeAbandoned(folder: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  for (const name of names) {
    await navigator.locks?.request(`${FOLDER}/${name}`, { ifAvailable: true }, async (lock) => {
      if (lock) await folder.removeEntry(name).catch(() => undefined);
    });
  }
}

/** Takes a lock for as long as this tab or worker lives; resolves, when it has it, to what gives it back. */
function holdLock(name: string): Promise<() => void> {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, () => new Promise<void>((release) => resolve(release))).catch(reject);
  });
}
